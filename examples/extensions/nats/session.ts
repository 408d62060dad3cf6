import { BrokerError } from "@enoki/enoki";
import type { NatsAddress } from "./address.ts";
import {
  connect,
  hadNoListener,
  jetstream,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
  type NatsConnection,
} from "./client_library.ts";
import { Names } from "./names.ts";
import { Registry } from "./registry.ts";

/** Options of {@linkcode Session.open}. */
export interface SessionOptions {
  /** Id of the transport, which opens one session after the other. */
  readonly transport: string;
  /** Number of servers that keep each message. */
  readonly replicas: number;
  /** Milliseconds that the server waits for a sign of life before it offers a delivery to another consumer. */
  readonly ackWait: number;
  /** Gives the number of deliveries of a queue that wait for a verdict here. */
  readonly held: (queue: string) => number;
  /** Learns that a message was put into a queue, and after how many milliseconds (as text) it expires there. */
  readonly sent: (queue: string, expiration: string | undefined) => void;
}

/** Milliseconds that the server has to answer. */
const ANSWER_LIMIT = 5_000;

/** Milliseconds between two pings. A connection is lost when two of them are not answered. */
const PING_INTERVAL = 10_000;

/**
 * One connection to the server, until it is lost. What it holds (exclusive queues, consumers) is held by its id.
 *
 * Other sessions see whether it is alive: it listens to a subject with its id, and the server tells a sender at
 * once if nobody listens.
 */
export class Session {
  /** Begins with the id of the transport. */
  readonly id: string;
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly names: Names;
  readonly registry: Registry;
  readonly options: SessionOptions;
  readonly #ended = new AbortController();
  readonly #broker: string;

  constructor(
    connection: NatsConnection,
    manager: JetStreamManager,
    { prefix, broker }: NatsAddress,
    options: SessionOptions,
  ) {
    this.connection = connection;
    this.manager = manager;
    this.#broker = broker;
    this.options = options;
    this.id = `${options.transport}-${crypto.randomUUID().slice(0, 8)}`;
    this.names = new Names(prefix);
    this.jetstream = jetstream(connection, { timeout: ANSWER_LIMIT });
    this.registry = new Registry(this.jetstream, manager, this.names);
    connection.closed().then((error) =>
      this.#end(error instanceof Error ? error.message : "the server ended it")
    );
    connection.subscribe(this.names.session(this.id), {
      callback: (_error, message) => {
        message.respond(String(options.held(message.string())));
      },
    });
  }

  /**
   * Connects once.
   *
   * @throws {BrokerError} If the server cannot be reached, refuses us, or has no JetStream.
   */
  static async open(address: NatsAddress, options: SessionOptions, signal?: AbortSignal): Promise<Session> {
    signal?.throwIfAborted();
    const opening = connect({
      servers: address.server,
      ...address.login,
      name: "enoki",
      reconnect: false,
      ignoreClusterUpdates: true,
      timeout: ANSWER_LIMIT,
      pingInterval: PING_INTERVAL,
      maxPingOut: 2,
    });
    const connection = await abortable(opening, signal).catch((error) => {
      opening.then((late) => late.close(), () => {});
      signal?.throwIfAborted();
      throw refusal(address.broker, error);
    });
    try {
      const manager = await jetstreamManager(connection, { timeout: ANSWER_LIMIT });
      const session = new Session(connection, manager, address, options);
      await session.registry.open(options.replicas);
      return session;
    } catch (error) {
      await connection.close();
      throw new BrokerError(
        `Cannot use broker ${address.broker}: ${
          (error as Error).message
        }. Check that its JetStream is on (-js)`,
        { cause: error, state: "unready" },
      );
    }
  }

  /** Aborts with a {@linkcode BrokerError} at the end of the connection. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Returns the number of deliveries of `queue` that a session holds; undefined if the session has ended. */
  async heldBy(id: string, queue: string): Promise<number | undefined> {
    if (id === this.id) return this.options.held(queue);
    // The server may not have noticed yet that our last connection is lost.
    if (id.startsWith(`${this.options.transport}-`)) return undefined;
    try {
      const answer = await this.connection.request(this.names.session(id), queue, { timeout: ANSWER_LIMIT });
      return Number(answer.string()) || 0;
    } catch (error) {
      if (hadNoListener(error)) return undefined;
      this.signal.throwIfAborted();
      return 0;
    }
  }

  /** Returns which of these sessions are alive. */
  async alive(ids: Iterable<string>): Promise<ReadonlySet<string>> {
    const asked = [...new Set(ids)];
    const held = await Promise.all(asked.map((id) => this.heldBy(id, "")));
    return new Set(asked.filter((_, index) => held[index] !== undefined));
  }

  /** Sends without a confirmation. What cannot be sent because the connection is lost is lost with it. */
  send(subject: string, payload: string, reply?: string): void {
    try {
      this.connection.publish(subject, payload, reply === undefined ? {} : { reply });
    } catch (error) {
      if (!this.connection.isClosed()) throw error;
    }
  }

  /** Voids all open deliveries: their verdicts no longer count. */
  void(): void {
    this.#end("the transport is closed");
  }

  async close(): Promise<void> {
    this.void();
    await this.connection.close();
  }

  #end(reason: string): void {
    if (this.signal.aborted) return;
    this.#ended.abort(new BrokerError(`Cannot use the connection to broker ${this.#broker}: ${reason}`));
  }
}

/** Waits for a promise until `signal` aborts. */
export async function abortable<Value>(promise: Promise<Value>, signal?: AbortSignal): Promise<Value> {
  if (signal === undefined) return await promise;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Waits for some milliseconds; rejects when `signal` aborts. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  try {
    await abortable(promise, signal);
  } finally {
    clearTimeout(timer);
  }
}

function refusal(broker: string, error: unknown): BrokerError {
  const { name, message } = error as Error;
  const refused = /Authori[sz]ation|Authentication|Permission/i.test(`${name} ${message}`);
  return new BrokerError(
    `Cannot connect to broker ${broker}: ${message}. ${
      refused ? "Check the login in the URI" : "Check that a NATS server runs there"
    }`,
    { cause: error, state: refused ? "refused" : "unreachable" },
  );
}
