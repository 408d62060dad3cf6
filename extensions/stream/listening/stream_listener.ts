/**
 * One listening address with its connections.
 *
 * The address belongs to a service, and not to one version of it: while a new version takes over, both are
 * targets, and each call goes to the newest one that divides bytes in the same way. So a reload costs no
 * connection, unless the new version speaks otherwise.
 */
import type { Log } from "../../../runtime/log/log.ts";
import { pause, within } from "../../../runtime/waiting/abort.ts";
import { Conversation } from "../conversation/conversation.ts";
import type { StreamEvent } from "../conversation/stream_event.ts";
import type { FrameFormat, StreamData } from "../framing/frame.ts";
import { createReader } from "../framing/create_reader.ts";
import type { StreamLimits } from "../settings.ts";
import type { Incoming, OpenListener } from "./incoming.ts";
import { formatEnd, type StreamAddress } from "./stream_address.ts";

/** One version of a service, as the connections of one of its streams have it. */
export interface StreamTarget {
  /** Who has added the target. */
  readonly owner: unknown;
  readonly format: FrameFormat;
  readonly limits: StreamLimits;
  /** The first state of a connection, as JSON. */
  readonly state: string;
  /** Runs a handler. Never rejects. Returns undefined if the service does not handle the event. */
  run(
    event: StreamEvent,
    conversation: Conversation,
    data: StreamData | undefined,
  ): Promise<void> | undefined;
}

/** Milliseconds that a client has to agree on TLS. */
const HANDSHAKE_LIMIT = 10_000;

/** Milliseconds before the next attempt when the system can take no connection. */
const ACCEPT_PAUSE = 100;

/** Milliseconds between two lines of the log about refused connections. */
const REFUSAL_INTERVAL = 10_000;

/** Milliseconds between two looks at silent connections; fewer for short limits. */
const LOOK_INTERVAL = 1_000;
const LEAST_INTERVAL = 10;

/** A listening address with its connections. */
export class StreamListener {
  readonly address: string;
  readonly #scheme: StreamAddress["scheme"];
  readonly #listener: OpenListener;
  readonly #log: Log;
  /** The versions of the service, the newest first. */
  #targets: readonly StreamTarget[] = [];
  /** Owners that still run the last handlers of their connections, and that count as gone otherwise. */
  readonly #leaving = new Set<unknown>();
  readonly #conversations = new Map<string, Conversation>();
  readonly #closing = new AbortController();
  #shaking = 0;
  #accepting = false;
  #refusedAt = -Infinity;
  #looking: ReturnType<typeof setInterval> | undefined;

  constructor(scheme: StreamAddress["scheme"], listener: OpenListener, log: Log) {
    this.address = listener.address;
    this.#scheme = scheme;
    this.#listener = listener;
    this.#log = log;
  }

  /** The connections by their ids, the oldest first. */
  get conversations(): ReadonlyMap<string, Conversation> {
    return this.#conversations;
  }

  /** Whether it takes no more connections. */
  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  add(target: StreamTarget): void {
    this.#targets = [target, ...this.#targets];
  }

  /** Takes connections. Idempotent. */
  accept(): void {
    if (this.#accepting) return;
    this.#accepting = true;
    void this.#accept();
  }

  /**
   * Removes the targets of an owner, and ends politely the connections that nobody serves then. Resolves after
   * their `lost`. If no target is left, the address is closed first.
   */
  async remove(owner: unknown): Promise<void> {
    if (!this.#targets.some((target) => target.owner === owner)) return;
    this.#leaving.add(owner);
    const left = this.#targets.filter((target) => !this.#leaving.has(target.owner));
    if (left.length === 0) this.close();
    const unserved = [...this.#conversations.values()].filter((conversation) =>
      !left.some((target) => isSame(target.format, conversation.format))
    );
    const finished = unserved.map((conversation) =>
      conversation.finish("stopping", "the service is stopping")
    );
    // The owner still runs the last handlers of these connections.
    if (left.length > 0) {
      this.#targets = [
        ...left,
        ...this.#targets.filter((target) => !left.includes(target)),
      ];
    }
    await Promise.all(finished);
    this.#targets = this.#targets.filter((target) => target.owner !== owner);
    this.#leaving.delete(owner);
  }

  /** Ends all connections at once, unless another owner has a target, too. */
  abort(owner: unknown): void {
    if (this.#targets.some((target) => target.owner !== owner && !this.#leaving.has(target.owner))) return;
    for (const conversation of [...this.#conversations.values()]) {
      conversation.abort("stopping", "the service was stopped by force");
    }
  }

  /** Takes no more connections. Idempotent. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        this.#take(await this.#listener.accept());
      } catch (error) {
        if (signal.aborted) return;
        this.#refused(`the system says: ${(error as Error).message}`);
        await pause(ACCEPT_PAUSE, signal).catch(() => {});
      }
    }
  }

  #take(incoming: Incoming): void {
    const target = this.#targets[0];
    const { maxConnections } = target?.limits ?? { maxConnections: 0 };
    if (target === undefined || this.#conversations.size + this.#shaking >= maxConnections) {
      incoming.close();
      this.#refused(`${maxConnections} are open. Raise maxConnections or STREAM_MAX_CONNECTIONS`);
      return;
    }
    if (incoming.handshake === undefined) this.#converse(incoming, target);
    else void this.#shakeHands(incoming);
  }

  /** Waits until both sides have agreed on TLS. Never rejects. */
  async #shakeHands(incoming: Incoming): Promise<void> {
    this.#shaking++;
    let isAgreed = false;
    try {
      isAgreed = await within(HANDSHAKE_LIMIT, incoming.handshake!());
    } catch {
      // The client speaks no TLS, or does not trust the certificate.
    } finally {
      this.#shaking--;
    }
    const target = this.#targets[0];
    if (isAgreed && target !== undefined && !this.#closing.signal.aborted) this.#converse(incoming, target);
    else closeQuietly(incoming);
  }

  #converse(incoming: Incoming, { format, limits, state }: StreamTarget): void {
    const conversation = new Conversation({
      duplex: incoming,
      format,
      reader: createReader(format, limits),
      peer: formatEnd(this.#scheme, incoming.remoteAddr),
      host: this.#scheme === "unix" ? this.address : formatEnd(this.#scheme, incoming.localAddr),
      state,
      maxBuffer: limits.maxBuffer,
      idleTimeout: limits.idleTimeout === 0 ? Infinity : limits.idleTimeout,
      run: this.#run,
      onGone: this.#onGone,
    });
    this.#conversations.set(conversation.id, conversation);
    this.#lookAfter(limits);
    conversation.start();
  }

  readonly #run = (
    event: StreamEvent,
    conversation: Conversation,
    data: StreamData | undefined,
  ): Promise<void> | undefined => {
    for (const target of this.#targets) {
      if (isSame(target.format, conversation.format)) return target.run(event, conversation, data);
    }
    return undefined;
  };

  readonly #onGone = (conversation: Conversation): void => {
    const { id, loss } = conversation;
    this.#conversations.delete(id);
    if (loss?.code === "oversized" || loss?.code === "unread") {
      this.#log.info(`Gave up connection ${id} to ${this.address}: ${loss.message}`);
    }
    if (this.#conversations.size > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  };

  #lookAfter({ idleTimeout }: StreamLimits): void {
    if (this.#looking !== undefined) return;
    const interval = idleTimeout === 0 ? LOOK_INTERVAL : Math.min(LOOK_INTERVAL, idleTimeout / 4);
    this.#looking = setInterval(() => {
      const now = performance.now();
      for (const conversation of this.#conversations.values()) conversation.check(now);
    }, Math.max(LEAST_INTERVAL, interval));
  }

  #refused(reason: string): void {
    const now = performance.now();
    if (now - this.#refusedAt < REFUSAL_INTERVAL) return;
    this.#refusedAt = now;
    this.#log.warning(`Refused a connection to ${this.address}: ${reason}`);
  }
}

function isSame(one: FrameFormat, other: FrameFormat): boolean {
  return one === other ||
    (one.framing === other.framing && one.encoding === other.encoding && one.prefix === other.prefix);
}

function closeQuietly(incoming: Incoming): void {
  try {
    incoming.close();
  } catch {
    // It is closed already.
  }
}
