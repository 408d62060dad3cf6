import { abortable } from "../../runtime/waiting/abort.ts";
import { encodeJson, JSON_CONTENT_TYPE } from "../../runtime/message/codec.ts";
import type { Outcome } from "../../runtime/message/outcome.ts";
import { asksForRetry } from "../../runtime/message/retry.ts";
import { HeldCalls } from "../../runtime/hosting/held_calls.ts";
import type { Entrypoint, EntrypointHost, HostedEntrypoint } from "../../runtime/hosting/host.ts";
import { Section } from "../../runtime/config/section.ts";
import { fieldsOfCall } from "../../runtime/telemetry/call_fields.ts";
import { BayeuxConnection } from "./connection.ts";
import { matchesChannel } from "./channel_pattern.ts";
import type { ServerMessage } from "./exchange.ts";
import { bayeuxSettings } from "./settings.ts";

/**
 * Takes the messages of a Bayeux server for one service, by one connection.
 *
 * A server offers a message once, so nothing is offered again: what the handler does not take is lost, and the log
 * says so. The messages go to the pool in the order in which they came.
 */
export class BayeuxHost implements Entrypoint {
  readonly #host: EntrypointHost;
  readonly #entries: readonly HostedEntrypoint[];
  readonly #connection: BayeuxConnection;
  readonly #calls: HeldCalls;
  readonly #maxCalls: number | undefined;
  readonly #abort = () => void this.#connection.abort();
  #running = 0;
  #room: PromiseWithResolvers<void> | undefined;

  /** @throws {ConfigurationError} If `BAYEUX` of the service's configuration is wrong. */
  constructor(entries: readonly HostedEntrypoint[], host: EntrypointHost) {
    const settings = bayeuxSettings(new Section(host.config));
    this.#host = host;
    this.#entries = entries;
    this.#calls = new HeldCalls(host);
    this.#maxCalls = settings.maxCalls;
    this.#connection = new BayeuxConnection({
      settings,
      channels: [...new Set(entries.map(channelOf))],
      deliver: (message) => this.#deliver(message),
      room: (signal) => this.#waitForRoom(signal),
      log: host.log,
    });
  }

  start(): Promise<void> {
    const { signal } = this.#host;
    signal.addEventListener("abort", this.#abort, { once: true });
    if (!signal.aborted) this.#host.watch(this.#connection.run());
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    await this.#connection.close();
    this.#host.signal.removeEventListener("abort", this.#abort);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.abort();
    await this.#calls.finished();
  }

  #deliver(message: ServerMessage): void {
    for (const entry of this.#entries) {
      const subscription = channelOf(entry);
      if (matchesChannel(subscription, message.channel)) void this.#call(entry, subscription, message);
    }
  }

  async #call(entry: HostedEntrypoint, subscription: string, message: ServerMessage): Promise<void> {
    const { data, advice: _advice, ...facts } = message;
    this.#calls.enter();
    this.#running++;
    try {
      const body = encodeJson(data);
      const outcome = await this.#calls.run(entry, {
        body,
        contentType: JSON_CONTENT_TYPE,
        headers: undefined,
        message: JSON.stringify({ ...facts, subscription }),
      });
      this.#complain(entry, message, outcome);
    } catch (error) {
      // A text that is nested too deeply can be read, but not written.
      this.#host.log.error(`${lost(message)}: it cannot be passed on: ${(error as Error).message}`);
    } finally {
      this.#running--;
      this.#calls.leave();
      this.#room?.resolve();
    }
  }

  /** Says what the thread has not said of a message that was not handled. */
  #complain({ method }: HostedEntrypoint, message: ServerMessage, outcome: Outcome): void {
    const { service, log } = this.#host;
    if (outcome.status === "unstarted") {
      log.error(`${lost(message)}: the service stopped before its handler ran`);
    } else if (outcome.status === "failed") {
      const { failure, undecoded, lostWith, traceparent } = outcome;
      const fields = fieldsOfCall(service, method, traceparent);
      if (undecoded || lostWith !== undefined) log.error(`${lost(message)}: ${failure.message}`, {}, fields);
      else if (asksForRetry(failure)) {
        const text = `${lost(message)}: ${service}.${method} asked for a retry, and a Bayeux server has none`;
        log.error(text, {}, fields);
      }
    }
  }

  async #waitForRoom(signal: AbortSignal): Promise<void> {
    while (this.#running >= (this.#maxCalls ?? this.#host.demand)) {
      this.#room = Promise.withResolvers();
      await abortable(this.#room.promise, signal);
    }
  }
}

function channelOf({ options }: HostedEntrypoint): string {
  return String(options["channel"]);
}

function lost({ channel }: ServerMessage): string {
  return `Lost a message of Bayeux channel "${channel.slice(0, 200)}"`;
}
