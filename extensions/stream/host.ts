import { HeldCalls } from "../../runtime/hosting/held_calls.ts";
import type { Entrypoint, EntrypointHost, HostedEntrypoint } from "../../runtime/hosting/host.ts";
import { ConfigurationError } from "../../runtime/message/errors.ts";
import type { Outcome } from "../../runtime/message/outcome.ts";
import { isRecord } from "../../runtime/message/plain.ts";
import { encodeCallHead } from "./calls/call_wire.ts";
import type { Conversation } from "./conversation/conversation.ts";
import type { StreamEvent } from "./conversation/stream_event.ts";
import { encodeText, type FrameFormat, type StreamData } from "./framing/frame.ts";
import { ADDRESS_FORMS, parseStreamAddress, type StreamAddress } from "./listening/stream_address.ts";
import type { StreamTarget } from "./listening/stream_listener.ts";
import type { StreamServer } from "./listening/stream_server.ts";
import type { StreamLimits } from "./settings.ts";
import { frameFormat, streamKey, type StreamListen } from "./stream_options.ts";

/** Options that `stream()` writes into the manifest. */
interface StreamManifest extends Partial<StreamLimits>, Partial<FrameFormat> {
  readonly listen: StreamListen;
  readonly event: StreamEvent;
  readonly state?: object;
}

/** Serves the streams of one service through the server of the process. */
export class StreamHost implements Entrypoint {
  readonly #entries: readonly HostedEntrypoint[];
  readonly #host: EntrypointHost;
  readonly #server: StreamServer;
  readonly #calls: HeldCalls;

  constructor(entries: readonly HostedEntrypoint[], host: EntrypointHost, server: StreamServer) {
    this.#entries = entries;
    this.#host = host;
    this.#server = server;
    this.#calls = new HeldCalls(host, () => server.abort(host.service, this));
  }

  /**
   * Listens on all addresses of the service.
   *
   * @throws {ConfigurationError} If an address cannot be used, or its handlers contradict each other.
   */
  async setup(): Promise<void> {
    const streams = Map.groupBy(
      this.#entries,
      ({ options }) => streamKey((options as unknown as StreamManifest).listen),
    );
    try {
      for (const [key, entries] of streams) {
        const manifest = requireOneStream(entries, this.#host.service);
        await this.#server.add(
          this.#host.service,
          key,
          addressOf(manifest.listen, this.#host),
          this.#target(manifest, entries),
        );
      }
    } catch (error) {
      await this.#server.remove(this.#host.service, this);
      throw error;
    }
  }

  /** Does nothing: connections are taken when all services run. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  /**
   * Takes no more connections, lets running calls finish, ends the connections politely, and waits for their
   * `lost`. Where a newer version of the service has the same streams, their connections stay.
   */
  async stop(): Promise<void> {
    await this.#calls.orAborted(this.#server.remove(this.#host.service, this));
    await this.#calls.finished();
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #target(
    { event: _event, listen: _listen, state = {}, ...options }: StreamManifest,
    entries: readonly HostedEntrypoint[],
  ): StreamTarget {
    const handlers = new Map(
      entries.map((entry) => [(entry.options as unknown as StreamManifest).event, entry]),
    );
    return {
      owner: this,
      format: frameFormat(options),
      limits: { ...this.#server.settings, ...options },
      state: JSON.stringify(state),
      run: (event, conversation, data) => {
        const entry = handlers.get(event);
        return entry && this.#run(entry, conversation, data);
      },
    };
  }

  async #run(
    entry: HostedEntrypoint,
    conversation: Conversation,
    data: StreamData | undefined,
  ): Promise<void> {
    this.#calls.enter();
    try {
      const message = encodeCallHead(conversation.room, conversation.facts, conversation.state);
      const payload = { body: data, contentType: undefined, headers: undefined, message };
      settle(conversation, await this.#calls.run(entry, payload, conversation.cancellation));
    } finally {
      this.#calls.leave();
    }
  }
}

/** Does with a connection what a call has left. A thread may leave anything. */
function settle(conversation: Conversation, outcome: Outcome): void {
  if (outcome.status === "failed") {
    return conversation.abort("failed", reasonOf(outcome.failure.message));
  }
  if (outcome.status === "unstarted") {
    return conversation.close("stopping", "the service is stopping");
  }
  const { body, head } = outcome;
  if (body !== undefined) write(conversation, body);
  if (!isRecord(head)) return;
  const { state, end, reason } = head;
  if (typeof state === "string" && state !== "") keepState(conversation, state);
  if (end === "failed") conversation.close("failed", reasonOf(reason));
  else endBy(conversation, end, reason);
}

/** The most characters that the state of a connection may have, which every call carries there and back. */
const LARGEST_STATE = 64 * 1024;

function keepState(conversation: Conversation, state: string): void {
  if (state.length <= LARGEST_STATE) conversation.state = state;
  else {
    conversation.abort(
      "failed",
      `the state of the connection has ${state.length} characters, and ${LARGEST_STATE} is the limit`,
    );
  }
}

/** Writes what a handler has written. */
export function write(conversation: Conversation, data: string | Uint8Array): void {
  conversation.write(typeof data === "string" ? encodeText(data, conversation.format.encoding) : data);
}

/** Ends a connection as a handler wants it, if it does. */
export function endBy(conversation: Conversation, end: unknown, reason: unknown): void {
  if (end === "close") conversation.close("closed", "the handler closed the connection");
  else if (end === "abort") conversation.abort("aborted", textOf(reason));
}

/** The most characters of what a handler or its error says that the connection keeps. */
const LONGEST_REASON = 1_000;

function reasonOf(message: unknown): string {
  return `a handler failed: ${textOf(message)}`;
}

/** Anything may come from a thread, even what cannot be turned into text. */
function textOf(reason: unknown): string {
  return typeof reason === "string" ? reason.slice(0, LONGEST_REASON) : "it did not say why";
}

/** Returns the options that the handlers of a stream share. */
function requireOneStream(entries: readonly HostedEntrypoint[], service: string): StreamManifest {
  const shared = entries.map((
    { options: { event: _event, timeout: _timeout, concurrency: _1, rate: _2, priority: _3, ...rest } },
  ) => JSON.stringify(rest));
  const [first] = entries;
  const manifest = first!.options as unknown as StreamManifest;
  const other = shared.findIndex((options) => options !== shared[0]);
  if (other !== -1) {
    throw new ConfigurationError(
      `Cannot serve "${service}": ${first!.method} and ${
        entries[other]!.method
      } declare different streams on ` +
        `${streamKey(manifest.listen)}. Make them of one stream(), or give each an address of its own`,
    );
  }
  const events = Map.groupBy(entries, ({ options }) => String(options.event));
  for (const [event, [one, another]] of events) {
    if (another === undefined) continue;
    throw new ConfigurationError(
      `Cannot serve "${service}": ${
        one!.method
      } and ${another.method} both handle ${event}() of the stream on ` +
        `${streamKey(manifest.listen)}. Remove one of them`,
    );
  }
  return manifest;
}

function addressOf(listen: StreamListen, { service, config }: EntrypointHost): StreamAddress {
  const text = typeof listen === "string" ? listen : config[listen.config];
  const address = typeof text === "string" ? parseStreamAddress(text) : undefined;
  if (address !== undefined) return address;
  const place = typeof listen === "string" ? "listen" : `config key "${listen.config}"`;
  throw new ConfigurationError(
    `Cannot serve "${service}": ${place} must be ${ADDRESS_FORMS}, got ${JSON.stringify(text ?? null)}`,
  );
}
