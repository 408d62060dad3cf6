import type { Transport } from "../../../runtime/message/transport.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";

/** A tick as its handler has reported it. */
export interface Tick {
  readonly text: string;
  /** Process of the instance. */
  readonly pid: number;
  /** When it arrived, in the time of `performance.now()`. */
  readonly at: number;
}

/** The queue to which ticks are reported, and a transport of its own to read them with. */
export class Ticks implements AsyncDisposable {
  readonly queue: string;
  readonly #transport: Transport;
  readonly #inbox = new Inbox();

  constructor(transport: Transport, queue: string) {
    this.#transport = transport;
    this.queue = queue;
  }

  static async open(transport: Transport, queue: string): Promise<Ticks> {
    const ticks = new Ticks(transport, queue);
    await transport.connect();
    await transport.declare({ queues: [{ name: queue }] });
    await transport.consume(queue, ticks.#inbox.receiver, { prefetch: 100 });
    return ticks;
  }

  /** How many have arrived that were not taken. */
  get waiting(): number {
    return this.#inbox.waiting;
  }

  /** Takes the next tick, which must come within 10 s. */
  async next(): Promise<Tick> {
    const { text, delivery, settle } = await this.#inbox.next();
    settle("ack");
    return { text, pid: Number(delivery.properties.appId), at: performance.now() };
  }

  /** Takes ticks until one fits. */
  async find(fits: (tick: Tick) => boolean): Promise<Tick> {
    for (;;) {
      const tick = await this.next();
      if (fits(tick)) return tick;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport.deleteQueue(this.queue);
    await this.#transport.close();
  }
}
