import type {
  ConsumeOptions,
  Consumer,
  Message,
  Receiver,
  Topology,
  Transport,
  TransportOptions,
} from "../../runtime/message/transport.ts";
import { BrokerError } from "../../runtime/message/errors.ts";
import { MemoryBroker } from "./broker.ts";
import { assertPrefetch, Intake } from "./intake.ts";
import { MemoryLink } from "./memory_link.ts";
import { seal } from "./sealed_message.ts";

/** Options of {@linkcode memory}. */
export interface MemoryOptions extends TransportOptions {
  /** Shared with the other transports that name it. @default {new MemoryBroker()} */
  readonly broker?: MemoryBroker;
}

/**
 * A transport to a broker in this process, for tests and for services that live in one process.
 *
 * Receivers see what a wire would bring: bytes, copied headers, and never the publisher's own stack. Messages die
 * with the broker.
 */
export function memory({ broker = new MemoryBroker(), onStatus }: MemoryOptions = {}): Transport {
  return new MemoryTransport(broker, onStatus);
}

let shared = new MemoryBroker();

/** The broker of this process for all who name none of their own; empty again once nobody is connected. */
export function sharedMemoryBroker(): MemoryBroker {
  if (!shared.isUsed) shared = new MemoryBroker();
  return shared;
}

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

  // deno-lint-ignore require-await -- what it throws must reject
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

  publish(message: Message, options?: { readonly signal?: AbortSignal }): Promise<void> {
    try {
      options?.signal?.throwIfAborted();
      return this.#connected("publish").publish(seal(message));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async consume(queue: string, receiver: Receiver, options: ConsumeOptions): Promise<Consumer> {
    assertPrefetch(options.prefetch);
    const intake = new Intake(receiver, options.prefetch, (stopped) => this.#intakes.delete(stopped));
    const feed = await this.#connected("consume").consume(queue, intake.take, options);
    await intake.attach(feed, options.prefetch);
    this.#intakes.add(intake);
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
