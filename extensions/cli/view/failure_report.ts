import {
  BadRequestError,
  BrokerError,
  CallError,
  CallTimeoutError,
  ConfigurationError,
  ExtensionError,
  RemoteError,
  ServiceLoadError,
  UnknownServiceError,
  UnroutableError,
} from "../../../runtime/message/errors.ts";
import { maskSecrets } from "../../../runtime/log/secrets.ts";
import { escapeControls, escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";

/** Exit statuses of the commands. */
export const EXIT = { fine: 0, remoteFailure: 1, usage: 2, unreachable: 3, bug: 70 } as const;

/** A failure as the user sees it. */
export interface FailureReport {
  readonly status: number;
  /** Lines without the final line break. */
  readonly text: string;
}

/**
 * Says in one or two lines what failed, without secrets and control characters. The text has Enoki's stack only
 * if the failure is a bug of Enoki.
 */
export function reportFailure(error: unknown): FailureReport {
  const { status, text } = plainReport(error);
  return { status, text: escapeControlsInLines(maskSecrets(text)) };
}

function plainReport(error: unknown): FailureReport {
  if (error instanceof ServiceLoadError) return { status: EXIT.usage, text: loadFailure(error) };
  if (error instanceof ExtensionError) return { status: EXIT.usage, text: withPlace(error) };
  if (error instanceof ConfigurationError) return { status: EXIT.usage, text: error.message };
  if (
    error instanceof BrokerError || error instanceof UnroutableError ||
    error instanceof UnknownServiceError ||
    error instanceof CallTimeoutError
  ) return { status: EXIT.unreachable, text: escapeControls(error.message) };
  if (error instanceof CallError) return { status: EXIT.remoteFailure, text: callFailure(error) };
  const stack = error instanceof Error ? error.stack ?? String(error) : String(error);
  return { status: EXIT.bug, text: `This is a bug of Enoki, please report it: ${stack}` };
}

/** Reports the stack of a module that has thrown, without frames that are not its author's; otherwise only the message. */
function loadFailure(error: ServiceLoadError): string {
  const text = error.isThrownByModule ? withoutOurFrames(error.stack ?? "") : withPlace(error);
  return (text.startsWith("Cannot ") ? text : `Cannot load the service: ${text}`).trimEnd();
}

/** Reports an error with the place where its cause was thrown: the frames above the first one of ours. */
function withPlace({ message, cause }: Error): string {
  const { stack = "" } = cause instanceof Error ? cause : {};
  const frames = stack.split("\n").filter((line) => FRAME.test(line) && !DENOS.test(line));
  const first = frames.findIndex(isOurs);
  return [message, ...frames.slice(0, first === -1 ? undefined : first)].join("\n");
}

const OURS = [import.meta.resolve("../../../runtime/"), import.meta.resolve("../../../extensions/")];

function withoutOurFrames(stack: string): string {
  // If Deno's loader cannot parse a module, Deno wraps the error.
  return stack.replace(/^TypeError: (?=SyntaxError: )/, "").split("\n").filter((line) =>
    !FRAME.test(line) || !(isOurs(line) || DECORATING.test(line))
  ).join("\n");
}

const FRAME = /^ +at /;

/** A frame of what the compiler makes of decorators. It stands in the module, at lines that the module has not. */
const DECORATING = /^ +at (?:memberDec|applyMemberDecs?|applyDecs2203R|_apply_decs_2203_r) /;

/** A frame of Deno itself. */
const DENOS = /[ (](?:ext|node):/;

/** Says whether a frame of a stack, as it is written, is one of Enoki's. */
export function isOurs(line: string): boolean {
  return OURS.some((folder) => line.includes(folder));
}

/** Reports what another service has said: in one line, because its line breaks could forge a message of ours. */
function callFailure(error: CallError): string {
  if (error instanceof BadRequestError) return escapeControls(`${error.reason}: ${error.message}`);
  if (!(error instanceof RemoteError)) return escapeControls(error.message);
  const text = escapeControls(`${error.remoteName}: ${error.remoteMessage}`);
  if (error.data === undefined) return text;
  return `${text}\ndata: ${escapeControls(JSON.stringify(maskSecrets(error.data)))}`;
}
