/**
 * What one client says to a Bayeux server, message by message (Bayeux 1.0): handshake, subscriptions, requests for
 * messages, farewell.
 *
 * Any answer may bring messages of channels, before or behind the reply that was asked for. They are delivered first,
 * whatever the reply says, because the server has forgotten them.
 */
import { type Advice, advised, FIRST_ADVICE, type Reconnect, reconnectOf } from "./advice.ts";
import { BayeuxError } from "./bayeux_error.ts";
import type { Exchange, ServerMessage } from "./exchange.ts";
import type { BayeuxSettings } from "./settings.ts";

/** The only way of waiting for messages that this client knows. */
const CONNECTION_TYPE = "long-polling";

/** Codes of errors that say that the server does not know the client, or not any more. */
const UNKNOWN_CLIENT = ["401", "402"];

/** Most characters of an error of the server that are shown. */
const LONGEST_ERROR = 300;

/** Options of {@linkcode BayeuxSession}. */
export interface SessionOptions {
  readonly settings: BayeuxSettings;
  readonly exchange: Exchange;
  /** Gets the messages of channels, in order. It must not throw. */
  readonly deliver: (message: ServerMessage) => void;
}

/** A client of one server. Every request rejects with the reason of `signal` once that has aborted. */
export class BayeuxSession {
  readonly #settings: BayeuxSettings;
  readonly #exchange: Exchange;
  readonly #deliver: (message: ServerMessage) => void;
  #advice = FIRST_ADVICE;
  #clientId: string | undefined;
  #lastId = 0;

  constructor({ settings, exchange, deliver }: SessionOptions) {
    this.#settings = settings;
    this.#exchange = exchange;
    this.#deliver = deliver;
  }

  /** What the server has asked for last. */
  get advice(): Advice {
    return this.#advice;
  }

  /** Whether the server has given this client a name. */
  get isKnown(): boolean {
    return this.#clientId !== undefined;
  }

  /** Becomes known to the server, which forgets what it knew of this client before. */
  async handshake(signal: AbortSignal): Promise<void> {
    const { version, minimumVersion } = this.#settings;
    this.#clientId = undefined;
    this.#advice = FIRST_ADVICE;
    const [reply] = await this.#ask("/meta/handshake", [
      { version, minimumVersion, supportedConnectionTypes: [CONNECTION_TYPE], ...this.#ext },
    ], signal);
    const fault = this.#faultOf(reply, "/meta/handshake", "handshake");
    if (fault !== undefined) throw fault;
    const { clientId, supportedConnectionTypes } = reply!;
    if (typeof clientId !== "string") {
      throw this.#error("has sent a handshake without a clientId", "handshake");
    }
    if (Array.isArray(supportedConnectionTypes) && !supportedConnectionTypes.includes(CONNECTION_TYPE)) {
      throw this.#error(`does not support ${CONNECTION_TYPE}, the only way that this client knows`, "none");
    }
    this.#clientId = clientId;
  }

  /**
   * Subscribes to channels.
   *
   * @returns The error of each channel that the server refuses.
   * @throws {BayeuxError} If the server cannot be reached, or does not know the client.
   */
  async subscribe(
    channels: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, BayeuxError>> {
    const fields = channels.map((subscription) => ({ subscription, ...this.#ext }));
    const replies = await this.#ask("/meta/subscribe", fields, signal);
    const refused = new Map<string, BayeuxError>();
    for (const channel of channels) {
      const reply = replies.find(({ subscription }) =>
        Array.isArray(subscription) ? subscription.includes(channel) : subscription === channel
      ) ?? (channels.length === 1 ? replies[0] : undefined);
      const fault = this.#faultOf(reply, `the subscription to ${channel}`, "retry");
      if (fault === undefined) {
        continue;
      }
      if (reconnectOf(reply?.advice) === "handshake") {
        throw fault;
      }
      // Some servers say 401 of a channel that is closed to this client. If they have forgotten it, they say so next.
      refused.set(channel, fault);
    }
    return refused;
  }

  /**
   * Asks for messages, and waits for them as long as the server holds the request.
   *
   * @param options.atOnce Whether the server is to answer at once. So the client learns whether all is well.
   * @returns Number of messages that have come.
   */
  async connect(
    signal: AbortSignal,
    { atOnce = false }: { readonly atOnce?: boolean } = {},
  ): Promise<number> {
    let count = 0;
    const limit = this.#advice.timeout + this.#settings.timeout;
    const fields = [{ connectionType: CONNECTION_TYPE, ...(atOnce && { advice: { timeout: 0 } }) }];
    const [reply] = await this.#ask("/meta/connect", fields, signal, {
      limit,
      counts: (found) => count = found,
    });
    const fault = this.#faultOf(reply, "/meta/connect", "retry");
    if (fault !== undefined) throw fault;
    return count;
  }

  /** Tells the server that this client goes. A client that is not known says nothing. */
  async disconnect(signal: AbortSignal): Promise<void> {
    if (this.#clientId !== undefined) await this.#ask("/meta/disconnect", [{}], signal);
  }

  get #ext(): { readonly ext?: unknown } {
    const { ext } = this.#settings;
    return ext === undefined ? {} : { ext };
  }

  async #ask(
    channel: string,
    fields: readonly object[],
    signal: AbortSignal,
    { limit = this.#settings.timeout, counts }: {
      readonly limit?: number;
      readonly counts?: (messages: number) => void;
    } = {},
  ): Promise<readonly ServerMessage[]> {
    const clientId = this.#clientId;
    const requests = fields.map((more) => ({
      id: String(++this.#lastId),
      channel,
      ...(clientId !== undefined && { clientId }),
      ...more,
    }));
    const answer = await this.#exchange.post(requests, { limit, signal });
    const replies: ServerMessage[] = [];
    let count = 0;
    for (const message of answer) {
      this.#advice = advised(this.#advice, message.advice);
      if (message.channel === channel) replies.push(message);
      else if (!message.channel.startsWith("/meta/") && "data" in message) {
        count++;
        this.#deliver(message);
      }
    }
    counts?.(count);
    return replies;
  }

  /** @param otherwise What is to be done if neither the advice nor the error says so. */
  #faultOf(
    reply: ServerMessage | undefined,
    what: string,
    otherwise: Reconnect,
  ): BayeuxError | undefined {
    if (reply === undefined) return this.#error(`has not answered ${what}`, otherwise);
    if (reply.successful === true) return undefined;
    const text = typeof reply.error === "string" ? reply.error : "no reason given";
    const [, code, explanation] = /^(\d{3}):[^:]*:(.*)$/s.exec(text) ?? [];
    const reconnect = reconnectOf(reply.advice) ??
      (code !== undefined && UNKNOWN_CLIENT.includes(code) ? "handshake" : otherwise);
    const shown = code === undefined ? text : `${explanation || "no reason given"} (${code})`;
    return this.#error(`refuses ${what}: ${this.#exchange.hide(shown).slice(0, LONGEST_ERROR)}`, reconnect);
  }

  #error(what: string, reconnect: Reconnect): BayeuxError {
    return new BayeuxError(`Cannot use the Bayeux server at ${this.#exchange.server}: it ${what}`, {
      answered: true,
      reconnect,
    });
  }
}
