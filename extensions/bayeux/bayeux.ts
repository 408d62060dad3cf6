import type { Duration } from "../../runtime/waiting/duration.ts";
import { decodeJson } from "../../runtime/message/codec.ts";
import type { Plain } from "../../runtime/message/plain.ts";
import { entrypoint, type EntrypointSpec } from "../../runtime/service/entrypoint.ts";
import { type OptionNames, requireKnown } from "../../runtime/service/options/known_options.ts";
import { channelFault } from "./channel_pattern.ts";

/** Options of {@linkcode bayeux}. */
export interface BayeuxOptions {
  /** Names of error classes that are no fault of the handler. The log shows them at level info. @default {[]} */
  readonly expected?: readonly string[];
  /** Names of arguments that logs show as `********`. @default {[]} */
  readonly redact?: readonly string[];
  /**
   * Milliseconds that the handler may take. After that time the call fails, and a handler that does not end at once
   * loses its thread.
   *
   * @default {no limit}
   */
  readonly timeout?: Duration;
}

/** What a message says beside its data. The handler gets it after the data. */
export interface BayeuxMessage {
  /** The channel that the message was published to, without wildcards. */
  readonly channel: string;
  /** The channel or the pattern by which the handler has subscribed. */
  readonly subscription: string;
  /** Id that the server or the sender gave to the message. */
  readonly id?: string | number;
  /** What extensions of the server add to the message. */
  readonly ext?: Readonly<Record<string, Plain>>;
  /** Any other field that the server sends. */
  readonly [field: string]: Plain | undefined;
}

const KNOWN: OptionNames<BayeuxOptions> = { expected: true, redact: true, timeout: true };

/**
 * Declares that a method handles the messages of a channel of the Bayeux server, such as CometD or Faye.
 *
 * The main thread has one connection for all entrypoints of the service, so the service needs no permission for the
 * network. The configuration's `BAYEUX` says where the server is. The handler gets the data of a message and what
 * else the message says; its result is ignored. A server offers a message once: if the handler fails, the message is
 * lost, and `Retry` has no effect.
 *
 * @param channel Channel such as `/foo/bar`. At the end, `*` stands for one segment and `**` for one or more.
 * @throws {TypeError} If `channel` is no channel that one can subscribe to, or an option is not known.
 * @throws {RangeError} If `timeout` is not a positive number of milliseconds.
 *
 * @example
 * ```ts
 * import { service } from "@enoki/enoki";
 * import { bayeux } from "@enoki/enoki/bayeux";
 *
 * export default service("quotes", {
 *   entrypoints: { quote: bayeux("/quotes/*") },
 *   handlers: {
 *     quote({ call }, data, { channel }) {
 *       call.log.info(`${channel}: ${JSON.stringify(data)}`);
 *     },
 *   },
 * });
 * ```
 */
export function bayeux<Data = unknown>(
  channel: string,
  options: BayeuxOptions = {},
): EntrypointSpec<"bayeux", [data: Data, message: BayeuxMessage]> {
  const action = `Cannot subscribe to Bayeux channel ${Deno.inspect(channel)}`;
  const fault = channelFault(channel);
  if (fault !== undefined) throw new TypeError(`${action}: ${fault}`);
  requireKnown(action, "it", options, KNOWN);
  const { expected, redact, timeout } = options;
  return entrypoint({
    kind: "bayeux",
    options: { channel },
    expected,
    redact,
    timeout,
    prepare: () => ({
      decode: ({ body, message }) => [decodeJson(body as string), JSON.parse(message as string)],
      encode: () => undefined,
    }),
  });
}
