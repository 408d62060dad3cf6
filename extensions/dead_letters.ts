/**
 * The messages that a service could not handle, for the people who look after it.
 *
 * A queue can be looked at only by consuming it. So all of it is consumed at once, the consumer is cancelled before
 * the first verdict, and what is not acked goes back: a queue gives returned messages their old places, so order
 * and headers stay as they were. A process that dies while it looks loses nothing: the broker puts all back. The queue is never deleted: the service believes that it is there.
 */
import { pause } from "../runtime/abort.ts";
import type { DeadLetter } from "../runtime/cli/composition.ts";
import type { Config } from "../runtime/config.ts";
import { deadLetterQueueOf, DEATH_HEADERS, receivedMessage } from "../runtime/message_fate.ts";
import { getLog } from "../runtime/observe.ts";
import type { Delivery, Transport, Verdict } from "../runtime/transport.ts";
import { logStatus, openBroker } from "./broker.ts";

/** Options of {@linkcode openDeadLetters}. */
export interface DeadLetterOptions {
  readonly config: Config;
  /**
   * URI of the broker, or a transport that is connected and stays open.
   *
   * @default {what the configuration names, else RabbitMQ on localhost, else `local:`}
   */
  readonly broker?: string | Transport;
}

/**
 * Opens the dead-letter queue of a queue.
 *
 * @throws {BrokerError} If the broker cannot be reached; nothing is retried.
 */
export async function openDeadLetters(
  queue: string,
  { config, broker }: DeadLetterOptions,
): Promise<DeadLetters> {
  if (typeof broker === "object") return new DeadLetters(queue, broker, false);
  const log = getLog();
  const transport = await openBroker({
    config,
    ...(broker !== undefined && { broker }),
    onStatus: logStatus(log),
    onFallback: (message) => log.debug(message),
  });
  return new DeadLetters(queue, transport, true);
}

/** How many can be looked at in one go: the largest prefetch of the protocol. */
const LIMIT = 65_535;

/** Milliseconds that the broker may be silent while letters that it counted are still to come. */
const PATIENCE = 2_000;

/** The dead messages of one queue. Disposing it closes the connection that was opened for it. */
export class DeadLetters implements AsyncDisposable {
  readonly #queue: string;
  readonly #transport: Transport;
  readonly #owned: boolean;

  constructor(queue: string, transport: Transport, owned: boolean) {
    this.#queue = queue;
    this.#transport = transport;
    this.#owned = owned;
  }

  /** The letters, oldest first, at most 65,535; they stay where they are. */
  list(): Promise<readonly DeadLetter[]> {
    return this.#judge(() => "requeue");
  }

  /**
   * Sends one letter, or all, to the queue that they died in, as their senders had sent them.
   *
   * @returns How many were sent.
   * @throws {UnroutableError} If that queue is gone; letters that were not sent stay dead.
   */
  async replay(number?: number): Promise<number> {
    let replayed = 0;
    await this.#judge(async (letter) => {
      if (number !== undefined && letter.number !== number) return "requeue";
      await this.#transport.publish({
        exchange: "",
        routingKey: this.#queue,
        body: letter.body,
        properties: letter.properties,
        mandatory: true,
      });
      replayed++;
      return "ack";
    });
    return replayed;
  }

  /** Deletes the letters that are there now, and returns how many. */
  async purge(): Promise<number> {
    return (await this.#judge(() => "ack")).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#owned) await this.#transport.close();
  }

  async #judge(judge: (letter: DeadLetter) => Verdict | Promise<Verdict>): Promise<readonly DeadLetter[]> {
    const name = deadLetterQueueOf(this.#queue);
    const count = Math.min(await this.#transport.countMessages(name) ?? 0, LIMIT);
    if (count === 0) return [];
    const letters: DeadLetter[] = [];
    const verdicts: PromiseWithResolvers<Verdict>[] = [];
    const complete = Promise.withResolvers<void>();
    const consumer = await this.#transport.consume(name, (delivery) => {
      const verdict = Promise.withResolvers<Verdict>();
      verdicts.push(verdict);
      letters.push(deadLetter(verdicts.length, delivery));
      if (verdicts.length === count) complete.resolve();
      return verdict.promise;
    }, { prefetch: count });
    try {
      await this.#arrival(complete.promise, () => letters.length);
      await consumer.cancel();
      for (const [index, letter] of letters.entries()) verdicts[index]!.resolve(await judge(letter));
    } finally {
      await consumer.cancel();
      for (const verdict of verdicts) verdict.resolve("requeue");
      await consumer.stop();
    }
    return letters;
  }

  /** Waits for the letters that were counted; somebody else may have taken some of them meanwhile. */
  async #arrival(complete: Promise<void>, arrived: () => number): Promise<void> {
    const over = new AbortController();
    let all = false;
    for (let before = -1; !all && arrived() > before;) {
      before = arrived();
      const silence = pause(PATIENCE, over.signal).then(() => false);
      all = await Promise.race([complete.then(() => true), silence]);
    }
    over.abort();
  }
}

function deadLetter(number: number, delivery: Delivery): DeadLetter {
  const { headers = {} } = delivery.properties;
  const { exchange, routingKey, properties } = receivedMessage(delivery);
  const text = (header: string) => String(headers[header] ?? "");
  return {
    number,
    reason: text(DEATH_HEADERS.reason),
    error: text(DEATH_HEADERS.error),
    at: text(DEATH_HEADERS.at),
    attempts: Number(headers[DEATH_HEADERS.attempts] ?? 0),
    exchange,
    routingKey,
    properties,
    body: delivery.body.slice(),
  };
}
