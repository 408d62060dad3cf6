import type { Section } from "../../../runtime/config/section.ts";
import { formatJsonLine, formatPrettyLine } from "../../../runtime/log/log_line.ts";
import {
  configureLogging,
  type ConfigureLoggingOptions,
  getLog,
  parseLogLevel,
} from "../../../runtime/log/observe.ts";
import type { CommandIo } from "../command_io.ts";
import type { RunFlags } from "../flags/run_config.ts";

/** A log as Nameko's section `LOGGING` has it. Disposing it closes its files, and brings the former log back. */
export interface ConfiguredLog extends Disposable {
  /** Says in the log which of its loggers are neither the runtime nor one of these services. */
  remarkOn(services: Iterable<string>): void;
}

/**
 * Makes the log that of a section `LOGGING`, if there is one. The flags win over it.
 *
 * @param plain The log without such a section.
 * @throws {ConfigurationError} If a value is wrong, or a file of the log cannot be written.
 */
export async function logAsConfigured(
  section: Section | undefined,
  plain: ConfigureLoggingOptions,
  { logLevel, logFormat }: RunFlags,
  io: CommandIo,
): Promise<ConfiguredLog | undefined> {
  if (section === undefined) return undefined;
  const { PythonLogging } = await import("../../python_logging/python_logging.ts");
  const pretty = (record: Parameters<typeof formatPrettyLine>[0]) => formatPrettyLine(record, io.colors);
  const format = logFormat && { json: formatJsonLine, pretty }[logFormat];
  const logging = new PythonLogging(section, {
    streams: {
      stdout: (line) => io.writeResult(`${line}\n`),
      stderr: plain.write!,
      plain: (record) => plain.write!((format ?? pretty)(record)),
    },
    ...(logLevel !== undefined && { level: parseLogLevel(logLevel) }),
    ...(format && { format }),
  });
  configureLogging({ routes: logging });
  const warn = (remark: string | undefined) => remark !== undefined && getLog().warning(remark);
  warn(logging.remark);
  return {
    remarkOn: (services) => void warn(logging.remarkOn(services)),
    [Symbol.dispose]() {
      configureLogging(plain);
      logging[Symbol.dispose]();
    },
  };
}
