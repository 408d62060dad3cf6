import { millisecondsOf, OR_TEXT, shownDuration } from "../../runtime/waiting/duration.ts";
import type { Plain } from "../../runtime/message/plain.ts";
import type { FrameFormat, Framing, StreamEncoding } from "./framing/frame.ts";
import { ADDRESS_FORMS, parseStreamAddress } from "./listening/stream_address.ts";
import type { StreamLimitOptions } from "./settings.ts";

/** Where a stream listens: an address, or the key of the configuration that has one. */
export type StreamListen =
  | `tcp://${string}`
  | `tls://${string}`
  | `unix:${string}`
  | { readonly config: string };

/** Options of {@linkcode stream}. */
export interface StreamOptions<Kind extends Framing, State extends object> extends StreamLimitOptions {
  /** Port 0 is any free port. */
  readonly listen: StreamListen;
  /** How the bytes of a connection become messages. @default {"bytes"} */
  readonly framing?: Kind;
  /** How the texts of lines are encoded. Bytes that are no such text are replaced. @default {"utf-8"} */
  readonly encoding?: StreamEncoding;
  /** What ends the lines that are written. Lines that are read may end in either. @default {"\n"} */
  readonly lineEnd?: "\n" | "\r\n";
  /** Bytes of the length before each frame, the highest byte first. @default {4} */
  readonly prefix?: 1 | 2 | 4;
  /** The state of a new connection: any JSON. @default {{}} */
  readonly state?: State;
}

/** The options as the manifest has them, checked. */
export interface StreamFacts {
  /** What tells the streams of a service apart. */
  readonly key: string;
  readonly format: FrameFormat;
  readonly options: Readonly<Record<string, Plain>>;
}

const FRAMINGS: readonly string[] = ["lines", "bytes", "length-prefixed"];
const LIMITS = ["maxConnections", "maxLine", "maxFrame", "maxBuffer"] as const;

/** Fills in the defaults of what decides how bytes are divided. */
export function frameFormat(
  { framing = "bytes", encoding = "utf-8", lineEnd = "\n", prefix = 4 }: Partial<FrameFormat>,
): FrameFormat {
  return { framing, encoding, lineEnd, prefix };
}

/** Returns what tells the streams of a service apart: where they listen. */
export function streamKey(listen: StreamListen): string {
  return typeof listen === "string" ? listen : `config ${listen.config}`;
}

/**
 * Checks the options of a stream.
 *
 * @throws {TypeError} If an option is not what it has to be.
 * @throws {RangeError} If a limit is out of its range.
 */
export function streamFacts<Kind extends Framing, State extends object>(
  options: StreamOptions<Kind, State>,
): StreamFacts {
  const { listen, state, idleTimeout } = options;
  const refuse = (reason: string): never => {
    throw new TypeError(`Cannot declare a stream: ${reason}`);
  };
  if (typeof listen === "string") {
    if (parseStreamAddress(listen) === undefined) refuse(`"${listen}" is not ${ADDRESS_FORMS}`);
  } else if (typeof listen?.config !== "string" || listen.config === "") {
    refuse(`listen must be ${ADDRESS_FORMS}, or { config } with the key of the configuration that has one`);
  }
  checkFormat(options, refuse);
  const limits: Record<string, number> = {};
  for (const name of LIMITS) {
    const value = options[name];
    if (value === undefined) continue;
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`Cannot declare a stream: ${name} must be an integer, 1 or more, got ${value}`);
    }
    limits[name] = value;
  }
  if (idleTimeout !== undefined) {
    const milliseconds = millisecondsOf(idleTimeout);
    if (!(milliseconds >= 0 && milliseconds < Infinity)) {
      throw new RangeError(
        `Cannot declare a stream: idleTimeout must be milliseconds, 0 or more, ${OR_TEXT}, ` +
          `got ${shownDuration(idleTimeout)}`,
      );
    }
    limits.idleTimeout = milliseconds;
  }
  const { framing, encoding, lineEnd, prefix } = options;
  return {
    key: streamKey(listen),
    format: frameFormat(options as Partial<FrameFormat>),
    options: {
      listen: typeof listen === "string" ? listen : { config: listen.config },
      framing: framing ?? "bytes",
      ...(encoding !== undefined && { encoding }),
      ...(lineEnd !== undefined && { lineEnd }),
      ...(prefix !== undefined && { prefix }),
      ...(state !== undefined && { state: JSON.parse(JSON.stringify(state)) }),
      ...limits,
    },
  };
}

/** Checks what decides how bytes are divided. */
export function checkFormat(
  { framing, encoding, lineEnd, prefix }: Partial<FrameFormat>,
  refuse: (reason: string) => never,
): void {
  if (framing !== undefined && !FRAMINGS.includes(framing)) {
    refuse(`framing "${framing}" is none of ${FRAMINGS.join(", ")}`);
  }
  if (encoding !== undefined && encoding !== "utf-8" && encoding !== "latin1") {
    refuse(`encoding "${encoding}" is neither utf-8 nor latin1`);
  }
  if (lineEnd !== undefined && lineEnd !== "\n" && lineEnd !== "\r\n") {
    refuse(`lineEnd ${JSON.stringify(lineEnd)} is neither "\\n" nor "\\r\\n"`);
  }
  if (prefix !== undefined && ![1, 2, 4].includes(prefix)) refuse(`prefix ${prefix} is none of 1, 2, 4`);
}
