import type { Duration } from "../../runtime/waiting/duration.ts";
import { entrypoint, type EntrypointSpec } from "../../runtime/service/entrypoint.ts";
import { requireOptions } from "./options.ts";

/** What a message of a channel is to its handler. */
export type MessageFormat = "json" | "text" | "bytes";

/** Options of {@linkcode subscription}. */
export interface SubscriptionOptions<Format extends MessageFormat = MessageFormat> {
  /** Name of the server in `REDIS_URIS`. @default {the name of the service, else the server of `REDIS`} */
  readonly name?: string;
  /** What a message is to the handler: the value of its JSON, its text, or its bytes. @default {"json"} */
  readonly format?: Format;
  /**
   * Most messages that wait for a thread. Redis does not slow down for a slow receiver, so that what comes beyond is
   * dropped, counted in `enoki_redis_messages_dropped_total`, and told in the log.
   *
   * @default {1,000}
   */
  readonly limit?: number;
  /** Which message is dropped where `limit` wait already: the one that has waited longest, or the new one. @default {"oldest"} */
  readonly drop?: "oldest" | "newest";
  /** Names of error classes that are no fault of the handler, which the log shows at info. @default {[]} */
  readonly expected?: readonly string[];
  /** Names of arguments that logs show as `********`. @default {[]} */
  readonly redact?: readonly string[];
  /** Milliseconds that the handler may take. @default {no limit} */
  readonly timeout?: Duration;
}

/** Channels by a pattern in Redis' notation: `*` stands for any text, `?` for one character, `[ab]` for a choice. */
export interface PatternOptions<Format extends MessageFormat = MessageFormat>
  extends SubscriptionOptions<Format> {
  /** Glob of the channels, as `PSUBSCRIBE` takes it: `orders.*`. */
  readonly pattern: string;
}

/** Where a message has come from. */
export interface ChannelMessage {
  /** The channel that the message was published to. */
  readonly channel: string;
  /** The pattern of the subscription; undefined if it names the channel. */
  readonly pattern: string | undefined;
}

/** @internal */
type MessageOf<Format, Payload> = Format extends "text" ? string
  : Format extends "bytes" ? Uint8Array<ArrayBuffer>
  : Payload;

/**
 * Declares that a method handles what is published on a channel of Redis.
 *
 * Every instance of the service gets every message, once for each method, and nobody gets what is published while it is
 * not connected: Redis keeps nothing. The connection is the main thread's, one for each server, so the service needs no
 * permission for it.
 *
 * @typeParam Payload Type of the value, where the format is JSON.
 * @throws {TypeError} If an option is not what it has to be.
 * @throws {RangeError} If a number is out of its range.
 *
 * @example
 * ```ts ignore
 * import { service } from "@enoki/enoki";
 * import { subscription } from "@enoki/enoki/redis";
 *
 * export default service("audit", {
 *   entrypoints: {
 *     paid: subscription<Receipt>("orders.paid"),
 *     any: subscription({ pattern: "orders.*", format: "text" }),
 *   },
 *   handlers: {
 *     paid: ({ call }, receipt) => call.log.info(`paid ${receipt.id}`),
 *     any: ({ call }, text, { channel }) => call.log.info(`${channel}: ${text}`),
 *   },
 * });
 * ```
 */
export function subscription<Payload = unknown, const Format extends MessageFormat = "json">(
  channel: string,
  options?: SubscriptionOptions<Format>,
): EntrypointSpec<"redis", [message: MessageOf<Format, Payload>, from: ChannelMessage]>;
/** Declares that a method handles what is published on all channels whose names fit a pattern. */
export function subscription<Payload = unknown, const Format extends MessageFormat = "json">(
  options: PatternOptions<Format>,
): EntrypointSpec<"redis", [message: MessageOf<Format, Payload>, from: ChannelMessage]>;
export function subscription(
  channelOrOptions: string | PatternOptions,
  others: SubscriptionOptions = {},
): EntrypointSpec<"redis", [message: never, from: ChannelMessage]> {
  const isPattern = typeof channelOrOptions !== "string";
  const { pattern, ...options } = isPattern ? channelOrOptions : { ...others, pattern: undefined };
  const source = isPattern ? pattern : channelOrOptions;
  const what = isPattern ? "a pattern" : "the name of a channel";
  if (typeof source !== "string" || source === "") {
    throw new TypeError(`Cannot declare subscription(): it needs ${what}, got ${JSON.stringify(source)}`);
  }
  const used = `subscription("${source}")`;
  const { expected, redact, timeout, ...checked } = options;
  requireOptions(used, checked, {
    name: "a name in REDIS_URIS",
    format: ["json", "text", "bytes"],
    limit: "a number",
    drop: ["oldest", "newest"],
  });
  const { name, format = "json", limit = 1_000, drop = "oldest" } = checked;
  return entrypoint({
    kind: "redis",
    options: {
      ...(isPattern ? { pattern: source } : { channel: source }),
      ...(name !== undefined && { name }),
      format,
      limit,
      drop,
    },
    expected,
    redact,
    timeout,
    prepare: () => ({
      decode({ body, message }) {
        const from: ChannelMessage = { channel: String(message), pattern: isPattern ? source : undefined };
        return [format === "json" ? parsed(String(body), from.channel) : body, from];
      },
      encode: () => undefined,
    }),
  });
}

function parsed(text: string, channel: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TypeError(
      `Cannot read a message of channel "${channel}": ${(cause as Error).message}. ` +
        'Publish JSON, or subscribe with format: "text"',
      { cause },
    );
  }
}
