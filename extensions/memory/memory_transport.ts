import type {
  ConsumeOptions,
  Consumer,
  Message,
  Receiver,
  Topology,
  Transport,
  TransportOptions,
} from "../../runtime/message/transport.ts";
import { BrokerError, ConfigurationError } from "../../runtime/message/errors.ts";
import { given } from "../../runtime/message/plain.ts";
import type { Clock } from "../../runtime/waiting/clock.ts";
import { MemoryBroker } from "./broker.ts";
import { Intake } from "./intake.ts";
import { MemoryLink } from "./memory_link.ts";
import { seal } from "./sealed_message.ts";

/** {@linkcode memory} takes these options. */
export interface MemoryOptions extends TransportOptions {
  /** All transports that name the same broker share it. @default {new MemoryBroker()} */
  readonly broker?: MemoryBroker;
  /**
   * Tells when the queues and messages of a new broker expire, such as a `testClock()`. A broker that is given has its
   * own.
   *
   * @default {the clock of the machine}
   */
  readonly clock?: Clock;
}

/**
 * Makes a transport to a broker in this process, for tests and for services that live in one process.
 *
 * Receivers get messages as from a wire: the body is bytes, the headers are copies, and no receiver runs on the
 * publisher's stack. Messages die with the broker.
 *
 * @throws {TypeError} If both a broker and another clock than its own are given.
 *
 * @example
 * ```ts ignore
 * import { memory, MemoryBroker } from "@enoki/enoki/memory";
 * import { connect, run } from "@enoki/enoki/run";
 *
 * const broker = new MemoryBroker();
 * await using running = await run([orders], { broker: memory({ broker }), threads: { kind: "inline" } });
 * await using connection = await connect({ broker: memory({ broker }) });
 * ```
 */
export function memory({ broker, clock, onStatus }: MemoryOptions = {}): Transport {
  if (broker !== undefined && clock !== undefined && broker.clock !== clock) {
    throw new TypeError(
      "Cannot connect to a memory broker by this clock: the broker has another one. Pass the clock to " +
        "new MemoryBroker({ clock })",
    );
  }
  return new MemoryTransport(broker ?? new MemoryBroker(given({ clock })), onStatus);
}

let shared = new MemoryBroker();

/**
 * Returns the broker that all in this process share who name no broker of their own.
 *
 * Once nobody is connected to it, the next call returns a new and empty one, with that caller's clock.
 *
 * @param clock The clock that the broker must have. @default {any clock}
 * @throws {ConfigurationError} If those who are connected to it have given it another clock.
 */
export function sharedMemoryBroker(clock?: Clock): MemoryBroker {
  if (!shared.isUsed) shared = new MemoryBroker(given({ clock }));
  if (clock !== undefined && shared.clock !== clock) {
    throw new ConfigurationError(
      'Cannot share the broker "memory:" of this process: those who use it already have given it another clock. ' +
        "Pass the same clock to all, or a broker of their own: memory({ clock })",
    );
  }
  return shared;
}

const PUBLISHED = Promise.resolve();

class MemoryTransport implements Transport {
  readonly broker = "memory:";
  readonly #broker: MemoryBroker;
  readonly #onStatus: TransportOptions["onStatus"];
  readonly #intakes = new Set<Intake>();
  #link: MemoryLink | undefined;
  #closed = false;

  constructor(broker: MemoryBroker, onStatus: TransportOptions["onStatus"]) {
    this.#broker = broker;
    this.#onStatus = onStatus;
  }

  // deno-lint-ignore require-await -- an error must become a rejection
  async connect({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#closed) {
      throw new BrokerError("Cannot connect to memory: the transport is closed. Make a new one");
    }
    if (this.#link !== undefined) return;
    this.#link = new MemoryLink(this.#broker);
    this.#onStatus?.({ state: "connected", broker: this.broker });
  }

  async declare(topology: Topology): Promise<void> {
    await this.#connected("declare").declare(topology);
  }

  // The method is not async, because every call and every event passes here and an async method is slower
  publish(message: Message, options?: { readonly signal?: AbortSignal }): Promise<void> {
    try {
      options?.signal?.throwIfAborted();
      this.#connected("publish").publish(seal(message));
      return PUBLISHED;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async consume(queue: string, receiver: Receiver, options: ConsumeOptions): Promise<Consumer> {
    const intake = new Intake(queue, receiver, options, this.#intakes);
    await intake.resume(this.#connected("consume"));
    return intake;
  }

  async countMessages(queue: string): Promise<number | undefined> {
    return await this.#connected("count messages").countMessages(queue);
  }

  async deleteQueue(name: string): Promise<void> {
    await this.#connected("delete a queue").deleteQueue(name);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#link?.close();
    this.#link = undefined;
    for (const intake of this.#intakes) intake.close();
    this.#intakes.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #connected(action: string): MemoryLink {
    if (this.#link !== undefined) return this.#link;
    const state = this.#closed
      ? "the transport is closed"
      : "the transport is not connected. Call connect() first";
    throw new BrokerError(`Cannot ${action} through memory: ${state}`);
  }
}
