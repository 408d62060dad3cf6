import { UnknownServiceError } from "../../../runtime/message/errors.ts";
import { maskSecrets } from "../../../runtime/log/secrets.ts";
import { escapeControls, escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import { EXIT, type FailureReport, isOurs, reportFailure } from "../view/failure_report.ts";
import { INPUT_NAME } from "./input.ts";

/** Levels of objects within objects that are shown. */
const DEPTH = 10;

// deno-lint-ignore no-control-regex -- colors consist of control characters
const COLOR = /(\x1b\[[\d;]*m)/;

/** Formats a value as Deno prints it. Of all control characters, only those of the colors reach the terminal. */
export function valueText(value: unknown, colors: boolean): string {
  const text = Deno.inspect(value, { colors, depth: DEPTH, strAbbreviateSize: Infinity });
  const parts = text.split(COLOR).map((part, n) => n % 2 === 1 ? part : escapeControlsInLines(part));
  return withoutOurFrames(parts.join(""));
}

/** Cuts each stack at the frames of Enoki, behind which there are only those of what has called Enoki. */
function withoutOurFrames(text: string): string {
  let cut = false;
  return text.split("\n").filter((line) => {
    const plain = line.split(COLOR).filter((_, n) => n % 2 === 0).join("");
    cut = /^ +at /.test(plain) && (cut || isOurs(plain));
    return !cut;
  }).join("\n");
}

/**
 * Says in one or two lines why an input has failed. A failure that is none of Enoki's is one of the input.
 *
 * @param text The input. If it has several lines, the failing line is named.
 * @param broker Name of the broker that was asked.
 */
export function inputFailure(error: unknown, text: string, broker: string): FailureReport {
  const report = reportFailure(error);
  if (error instanceof UnknownServiceError) return { ...report, text: `${report.text}. Asked ${broker}` };
  if (report.status !== EXIT.bug) return report;
  const status = error instanceof SyntaxError ? EXIT.usage : EXIT.remoteFailure;
  if (!(error instanceof Error)) return { status, text: `Uncaught ${valueText(error, false)}` };
  const said = escapeControls(maskSecrets(`${error.name}: ${error.message}`));
  const line = text.includes("\n") ? lineOf(error) : undefined;
  return { status, text: line === undefined ? said : `${said} (line ${line})` };
}

const PLACE = new RegExp(`${INPUT_NAME}, <anonymous>:(\\d+):\\d+`);

/** The line of the input that an error comes from, as far as its stack tells. */
function lineOf({ stack }: Error): string | undefined {
  return typeof stack === "string" ? PLACE.exec(stack)?.[1] : undefined;
}
