/**
 * The messages that a service could not handle, for the people who look after it.
 *
 * The queue of dead letters is never deleted, because the service believes that it exists.
 */
import type { Config } from "../runtime/config/file.ts";
import {
  deadLetterQueueOf,
  DEATH_HEADERS,
  receivedMessage,
  replay,
} from "../runtime/hosting/message_fate.ts";
import { getLog } from "../runtime/log/observe.ts";
import type { Delivery, MessageProperties, Transport } from "../runtime/message/transport.ts";
import { confirmWithin, logStatus, openBroker } from "./broker.ts";
import { BATCH, type Fate, type Judge, judgeMessages, purgeQueue } from "./queue_messages.ts";
import { Settings } from "./settings.ts";

/** Options of {@linkcode openDeadLetters}. */
export interface DeadLetterOptions {
  readonly config: Config;
  /**
   * URI of the broker, or a transport that is already connected and stays open.
   *
   * @default {the broker that the configuration names, else RabbitMQ on localhost, else `local:`}
   */
  readonly broker?: string | Transport;
}

/**
 * Opens the dead-letter queue of a queue.
 *
 * @throws {BrokerError} If the broker cannot be reached. There is no second attempt.
 */
export async function openDeadLetters(
  queue: string,
  { config, broker }: DeadLetterOptions,
): Promise<DeadLetters> {
  if (typeof broker === "object") return new DeadLetters(queue, broker, false);
  const log = getLog();
  const transport = await openBroker({
    purpose: "dead letters",
    settings: await Settings.read(config),
    ...(broker !== undefined && { broker }),
    onStatus: logStatus(log),
    onFallback: (message) => log.debug(message),
  });
  return new DeadLetters(queue, transport, true);
}

/** A message that could not be handled. */
export interface DeadLetter {
  /** Its place in the dead-letter queue, from 1. */
  readonly number: number;
  /** Why it is dead: `undecodable`, `retries used up` or `thread lost`. */
  readonly reason: string;
  /** Class and message of the last error. */
  readonly error: string;
  /** When it died, as ISO text. */
  readonly at: string;
  readonly attempts: number;
  /** The exchange that its sender published it to. */
  readonly exchange: string;
  readonly routingKey: string;
  /** Its properties as its sender gave them. */
  readonly properties: MessageProperties;
  /** Bytes of its body. */
  readonly size: number;
}

/** A dead letter with its body. */
export interface OpenedDeadLetter extends DeadLetter {
  readonly body: Uint8Array;
}

/** Options of {@linkcode DeadLetters.replay}. */
export interface ReplayOptions {
  /** Number of the only letter to send. @default {all letters} */
  readonly number?: number;
  /** Milliseconds that the broker may take to confirm each letter. */
  readonly timeout: number;
}

/** The most letters that one look can hold: the largest prefetch of the protocol. */
const LIMIT = 65_535;

/** The dead letters of one queue. Disposing it closes the connection that was opened for it. */
export class DeadLetters implements AsyncDisposable {
  readonly #queue: string;
  readonly #transport: Transport;
  readonly #owned: boolean;

  constructor(queue: string, transport: Transport, owned: boolean) {
    this.#queue = queue;
    this.#transport = transport;
    this.#owned = owned;
  }

  async count(): Promise<number> {
    return await this.#transport.countMessages(deadLetterQueueOf(this.#queue)) ?? 0;
  }

  /** Says whether the broker has the queue that the letters died in, or their own queue. */
  async knowsQueue(): Promise<boolean> {
    for (const name of [this.#queue, deadLetterQueueOf(this.#queue)]) {
      if (await this.#transport.countMessages(name) !== undefined) return true;
    }
    return false;
  }

  /** Lists the letters, oldest first and at most 65,535. They stay where they are. */
  async list(): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = [];
    const count = Math.min(await this.count(), LIMIT);
    await this.#judge({ count, prefetch: count }, (delivery, number) => {
      letters.push(deadLetter(number, delivery));
      return "stays";
    });
    return letters;
  }

  /** Gives one letter with its body; undefined if the queue has fewer letters, or the number is above 65,535. */
  async show(number: number): Promise<OpenedDeadLetter | undefined> {
    let letter: OpenedDeadLetter | undefined;
    await this.#reach(number, (delivery) => {
      letter = { ...deadLetter(number, delivery), body: delivery.body.slice() };
      return "stays";
    });
    return letter;
  }

  /**
   * Sends one letter, or all of them, to the queue that they died in, as their senders had sent them.
   *
   * @param options.timeout Milliseconds that the broker may take to confirm each letter.
   * @returns The number of letters that were sent.
   * @throws {UnroutableError} If that queue is gone. Letters that were not sent stay dead.
   * @throws {BrokerError} If the broker does not confirm one in time, or the connection is lost.
   */
  async replay({ number, timeout }: ReplayOptions): Promise<number> {
    const transport = this.#transport;
    const queue = this.#queue;
    let replayed = 0;
    const send = async (delivery: Delivery): Promise<Fate> => {
      await confirmWithin(
        timeout,
        `replay a message to queue "${queue}"`,
        (signal) => replay({ transport, queue, signal }, delivery),
      );
      replayed++;
      return "taken";
    };
    if (number === undefined) await this.#judge({ count: await this.count(), prefetch: BATCH }, send);
    else await this.#reach(number, send);
    return replayed;
  }

  /** Deletes the letters that are there now, and returns their number. */
  async purge(): Promise<number> {
    return await purgeQueue(this.#transport, deadLetterQueueOf(this.#queue));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#owned) await this.#transport.close();
  }

  /** Judges the letter with this number. The letters before it stay. */
  async #reach(number: number, judge: Judge): Promise<void> {
    if (number > Math.min(await this.count(), LIMIT)) return;
    await this.#judge(
      { count: number, prefetch: number },
      (delivery, each) => each === number ? judge(delivery, each) : "stays",
    );
  }

  async #judge(plan: { readonly count: number; readonly prefetch: number }, judge: Judge): Promise<void> {
    await judgeMessages(this.#transport, deadLetterQueueOf(this.#queue), plan, judge);
  }
}

function deadLetter(number: number, delivery: Delivery): DeadLetter {
  const { headers = {} } = delivery.properties;
  const { exchange, routingKey, properties } = receivedMessage(delivery);
  const text = (header: string) => {
    const value = headers[header];
    return typeof value === "string" ? value : "";
  };
  const attempts = headers[DEATH_HEADERS.attempts];
  return {
    number,
    reason: text(DEATH_HEADERS.reason),
    error: text(DEATH_HEADERS.error),
    at: text(DEATH_HEADERS.at),
    attempts: typeof attempts === "number" ? attempts : 0,
    exchange,
    routingKey,
    properties,
    size: delivery.body.length,
  };
}
