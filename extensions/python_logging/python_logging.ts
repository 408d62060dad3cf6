/**
 * Nameko's key `LOGGING`: Python's `logging.config.dictConfig()`, as far as it has a meaning here.
 *
 * A logger of Python is a service of the same name, or the runtime, whose name is `nameko` or `enoki`. Loggers inherit by
 * the dots in their names.
 */
import {
  isWanted,
  LOG_LEVELS,
  type LogLevel,
  type LogRecord,
  type LogThreshold,
} from "../../runtime/log/log.ts";
import { formatJsonLine } from "../../runtime/log/log_line.ts";
import type { LogRoutes } from "../../runtime/log/observe.ts";
import { didYouMean, nearestNames } from "../../runtime/service/options/nearest_names.ts";
import type { Section } from "../../runtime/config/section.ts";
import { openHandler, type Streams } from "./handler.ts";
import {
  compileFormat,
  type FormatStyle,
  type RecordFormat,
  RUNTIME_NAME,
  unknownAttributes,
} from "./record_format.ts";

/** Options of {@linkcode PythonLogging}. */
export interface PythonLoggingOptions {
  readonly streams: Streams;
  /** Level of all loggers, which wins over those of the section. */
  readonly level?: LogLevel;
  /** Format of all lines, which wins over those of the section. */
  readonly format?: RecordFormat;
}

/** A place where lines go, with what it takes. */
interface Handler {
  readonly threshold: LogThreshold;
  write(record: LogRecord): void;
}

/** A logger as the section has it. */
interface Logger {
  readonly threshold: LogThreshold | undefined;
  readonly handlers: readonly Handler[];
  readonly propagates: boolean;
}

/** Names of the runtime's own logger. */
const RUNTIME = [RUNTIME_NAME, "nameko"];

/** What a service or the runtime logs to. */
interface Route {
  readonly threshold: LogThreshold;
  readonly handlers: readonly Handler[];
}

/** Logs as the section `LOGGING` says. Disposing it closes its files. */
export class PythonLogging implements LogRoutes, Disposable {
  readonly #options: PythonLoggingOptions;
  readonly #loggers = new Map<string, Logger>();
  readonly #routes = new Map<string | undefined, Route>();
  readonly #root: Logger;
  readonly #hasHandlers: boolean;
  readonly #open = new DisposableStack();
  readonly #ineffective: string[] = [];
  readonly #where = new Map<string, string>();

  /**
   * Reads the section, and opens its files.
   *
   * @throws {ConfigurationError} If a value is wrong, or a file cannot be written.
   */
  constructor(at: Section, options: PythonLoggingOptions) {
    this.#options = options;
    at.get("version");
    for (const key of ["filters", "incremental"]) if (at.get(key) !== undefined) this.#hasNoEffect(at, key);
    if (at.flag("disable_existing_loggers") === true) this.#hasNoEffect(at, "disable_existing_loggers");
    const formats = this.#readFormats(at.section("formatters"));
    try {
      const handlers = this.#readHandlers(at.section("handlers"), formats);
      this.#hasHandlers = handlers.size > 0;
      const root = at.section("root");
      this.#root = root === undefined ? NO_LOGGER : this.#readLogger(root, handlers);
      this.#readLoggers(at.section("loggers"), handlers);
    } catch (error) {
      this.#open.dispose();
      throw error;
    }
    for (const key of at.others) this.#hasNoEffect(at, key);
  }

  /** A sentence about what has no effect; undefined if all has one. */
  get remark(): string | undefined {
    return this.#ineffective.length === 0
      ? undefined
      : `This part of LOGGING has no effect here: ${this.#ineffective.join("; ")}`;
  }

  /** A sentence about loggers that are neither the runtime nor one of these services; undefined if there is none. */
  remarkOn(services: Iterable<string>): string | undefined {
    const names = [...services, ...RUNTIME];
    const others = [...this.#loggers.keys()].filter((logger) =>
      !names.some((name) => name === logger || name.startsWith(`${logger}.`))
    );
    if (others.length === 0) return undefined;
    const each = others.map((logger) =>
      `${this.#where.get(logger)}${didYouMean(nearestNames(logger, names))}`
    );
    return `These loggers have no effect here: ${each.join("; ")}. Loggers here are ${names.join(", ")}`;
  }

  thresholdOf(service?: string): LogThreshold {
    return this.#routeOf(service).threshold;
  }

  write(record: LogRecord): void {
    const { threshold, handlers } = this.#routeOf(record.service);
    if (!isWanted(record.level, threshold)) return;
    for (const handler of handlers) if (isWanted(record.level, handler.threshold)) handler.write(record);
    // Without any handler, Python shows what is at least a warning.
    if (handlers.length === 0 && (!this.#hasHandlers || isWanted(record.level, "warning"))) {
      this.#options.streams.plain(record);
    }
  }

  [Symbol.dispose](): void {
    this.#open.dispose();
  }

  #routeOf(service: string | undefined): Route {
    let route = this.#routes.get(service);
    if (route === undefined) this.#routes.set(service, route = this.#findRoute(service));
    return route;
  }

  #findRoute(service: string | undefined): Route {
    const chain = [...this.#chainOf(service), this.#root];
    const handlers: Handler[] = [];
    for (const logger of chain) {
      handlers.push(...logger.handlers);
      if (!logger.propagates) break;
    }
    const threshold = this.#options.level ??
      chain.find((logger) => logger.threshold !== undefined)?.threshold ??
      "warning";
    return { threshold, handlers: [...new Set(handlers)] };
  }

  /** The loggers above a name, the nearest first. */
  #chainOf(service: string | undefined): readonly Logger[] {
    const names = service === undefined
      ? RUNTIME
      : service.split(".").map((_, index, parts) => parts.slice(0, parts.length - index).join("."));
    return names.flatMap((name) => this.#loggers.get(name) ?? []);
  }

  #readFormats(at: Section | undefined): ReadonlyMap<string, RecordFormat> {
    return new Map(
      Object.keys(at?.values ?? {}).map((name) => [name, this.#readFormat(at!.section(name)!, at!, name)]),
    );
  }

  #readFormat(at: Section, above: Section, name: string): RecordFormat {
    const style = (at.text("style", /^[%{$]$/, '"%", "{" or "$"') ?? "%") as FormatStyle;
    const datefmt = at.text("datefmt");
    const format = at.text("format") ?? at.text("fmt") ??
      { "%": "%(message)s", "{": "{message}", "$": "$message" }[style];
    const kind = at.text("()") ?? at.text("class");
    at.get("validate");
    if (kind !== undefined && /json/i.test(kind)) return formatJsonLine;
    if (kind !== undefined && kind !== "logging.Formatter") {
      this.#hasNoEffect(at, at.values["()"] === undefined ? "class" : "()");
    }
    const unknown = unknownAttributes(format, style);
    if (unknown.length > 0) {
      this.#ineffective.push(`${unknown.join(", ")} in ${placeOf(above, name)}`);
    }
    for (const key of at.others) this.#hasNoEffect(at, key);
    return compileFormat(format, { style, datefmt });
  }

  #readHandlers(
    at: Section | undefined,
    formats: ReadonlyMap<string, RecordFormat>,
  ): ReadonlyMap<string, Handler | undefined> {
    return new Map(
      Object.keys(at?.values ?? {}).map((name) => [name, this.#readHandler(at!, name, formats)]),
    );
  }

  /** Undefined for a handler that has no effect. */
  #readHandler(
    above: Section,
    name: string,
    formats: ReadonlyMap<string, RecordFormat>,
  ): Handler | undefined {
    const at = above.section(name)!;
    const threshold = readLevel(at, "level") ?? "debug";
    const formatter = at.text("formatter");
    const format = formatter === undefined ? MESSAGE : formats.get(formatter);
    if (format === undefined) {
      return at.refuse("formatter", `a formatter of LOGGING: ${[...formats.keys()].join(", ")}`);
    }
    if (at.get("filters") !== undefined) this.#hasNoEffect(at, "filters");
    const output = openHandler(at, this.#options.streams);
    if (output === undefined) {
      this.#hasNoEffect(above, name);
      return undefined;
    }
    this.#open.use(output);
    for (const key of at.others) this.#hasNoEffect(at, key);
    const lines = this.#options.format ?? format;
    // Who asks for more on the command line wants to see it.
    const shown = output.isStream && this.#options.level !== undefined ? "debug" : threshold;
    return { threshold: shown, write: (record) => output.write(lines(record), record.level) };
  }

  #readLoggers(at: Section | undefined, handlers: ReadonlyMap<string, Handler | undefined>): void {
    for (const name of Object.keys(at?.values ?? {})) {
      const logger = at!.section(name);
      if (logger === undefined) continue;
      this.#loggers.set(name, this.#readLogger(logger, handlers));
      this.#where.set(name, placeOf(at!, name));
    }
  }

  #readLogger(at: Section, handlers: ReadonlyMap<string, Handler | undefined>): Logger {
    const threshold = readLevel(at, "level");
    const own = (at.texts("handlers") ?? []).flatMap((name) => {
      if (!handlers.has(name)) {
        return at.refuse("handlers", `handlers of LOGGING: ${[...handlers.keys()].join(", ")}`);
      }
      return handlers.get(name) ?? [];
    });
    if (at.get("filters") !== undefined) this.#hasNoEffect(at, "filters");
    const propagates = at.get("propagate");
    if (![undefined, true, false, 0, 1].includes(propagates as boolean)) {
      at.refuse("propagate", "true or false");
    }
    for (const key of at.others) this.#hasNoEffect(at, key);
    return { threshold, handlers: own, propagates: propagates !== false && propagates !== 0 };
  }

  #hasNoEffect(at: Section, key: string): void {
    this.#ineffective.push(placeOf(at, key));
  }
}

/** Names a key of the section with its place in the file, such as `filters (line 4 of app.yaml)`. */
function placeOf(at: Section, key: string): string {
  return at.describe(key).replace(/^config key "LOGGING\.(.*)" in (.*)$/s, "$1 ($2)");
}

const NO_LOGGER: Logger = { threshold: undefined, handlers: [], propagates: true };

const MESSAGE = compileFormat("%(message)s", { style: "%" });

const NAMES: Readonly<Record<string, LogThreshold>> = {
  CRITICAL: "none",
  FATAL: "none",
  ERROR: "error",
  WARNING: "warning",
  WARN: "warning",
  INFO: "info",
  DEBUG: "debug",
};

/** Reads a level by its name or its number; undefined if it is not set. Nothing here is as severe as CRITICAL. */
function readLevel(at: Section, key: string): LogThreshold | undefined {
  const value = at.get(key);
  if (value === undefined || value === "NOTSET" || value === 0) return undefined;
  if (typeof value === "number" && value > 0) return LOG_LEVELS[Math.ceil(value / 10) - 1] ?? "none";
  const name = typeof value === "string" ? value.toUpperCase() : "";
  return Object.hasOwn(NAMES, name) ? NAMES[name] : at.refuse(key, `one of ${Object.keys(NAMES).join(", ")}`);
}
