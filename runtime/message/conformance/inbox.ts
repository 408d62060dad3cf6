import type { Consumer, Delivery, Receiver, Verdict } from "../transport.ts";

/** A delivery that waits for the verdict of the test; its body is copied and outlives the verdict. */
export interface Held {
  readonly delivery: Delivery;
  readonly text: string;
  settle(verdict: Verdict): void;
}

/** Receives deliveries and keeps each one open until the test settles it. */
export class Inbox {
  consumer: Consumer | undefined;
  readonly #arrived: Held[] = [];
  #wake: (() => void) | undefined;

  readonly receiver: Receiver = (delivery) => {
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    const body = delivery.body.slice();
    this.#arrived.push({
      delivery: { ...delivery, body },
      text: new TextDecoder().decode(body),
      settle: resolve,
    });
    this.#wake?.();
    return promise;
  };

  /** How many deliveries have arrived that the test has not taken. */
  get waiting(): number {
    return this.#arrived.length;
  }

  /** Takes the next delivery, which must come within 10 s. */
  async next(): Promise<Held> {
    const held = this.#arrived.shift();
    if (held !== undefined) return held;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const limit = setTimeout(() => reject(new Error("Cannot take a delivery: none came in 10 s")), 10_000);
    this.#wake = resolve;
    try {
      await promise;
    } finally {
      clearTimeout(limit);
      this.#wake = undefined;
    }
    return await this.next();
  }

  /** Takes the next delivery, acknowledges it, and returns its text. */
  async text(): Promise<string> {
    const held = await this.next();
    held.settle("ack");
    return held.text;
  }

  /** Takes and acknowledges as many deliveries as asked for. */
  async texts(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) texts.push(await this.text());
    return texts;
  }
}
