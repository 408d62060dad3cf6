import { stripVTControlCharacters } from "node:util";
import type { LogRecord } from "../log.ts";
import { DEFAULT_LOG_LIMIT, leftOutText, RecordLimit } from "../record_limit.ts";

/** Options of {@linkcode outputLog}. */
export interface OutputLogOptions {
  /** The service whose process writes the lines. */
  readonly service: string;
  readonly emit: (record: LogRecord) => void;
  /** Lines in a second. @default {1_000} */
  readonly most?: number | undefined;
}

/** Takes what a service's process writes. */
export interface OutputLog {
  readonly onOutput: (lines: string) => void;
  /** The process has ended: what was left out is told now. */
  readonly onEnd: () => void;
}

/** Makes what turns the lines that a service's process writes into log records of the service, with a limit. */
export function outputLog({ service, emit, most = DEFAULT_LOG_LIMIT }: OutputLogOptions): OutputLog {
  const limit = new RecordLimit(
    most,
    (count) =>
      emit({ level: "warning", message: leftOutText(count, `the process of "${service}"`), service }),
  );
  return {
    onOutput(lines) {
      for (const line of lines.split("\n")) {
        const message = stripVTControlCharacters(line).trimEnd();
        if (message !== "" && limit.admits(message.length)) {
          emit({ level: "info", message, service, isPrinted: true });
        }
      }
    },
    onEnd: () => limit.end(),
  };
}
