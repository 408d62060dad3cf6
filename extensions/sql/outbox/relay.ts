/**
 * Sends the messages in the outbox of a service to the broker.
 *
 * Invariant: no message leaves the outbox that the broker has not confirmed or refused, and messages reach the broker
 * for the first time in the order of their rows. The first half holds because a row is deleted by its own id after the
 * confirm of its message. The second half holds because an instance sends the rows from the first one on, and has the
 * results of all that it has read before it reads again. Where the invariant lets a message be sent twice (a crash
 * between confirm and deletion, an instance that has lost the lock and does not know it yet), both have the same
 * `messageId`, and the second one comes after the first of each message before it.
 *
 * It fails for a message that the broker has refused at first, and taken when its exchange or its queue was declared
 * again: that one comes later.
 */
import { abortable, pause, within } from "../../../runtime/waiting/abort.ts";
import { type GrowingDelay, growingDelay } from "../../../runtime/waiting/growing_delay.ts";
import { BrokerError } from "../../../runtime/message/errors.ts";
import type { DependencySetupHost } from "../../../runtime/hosting/host.ts";
import type { SqlConnection, SqlDriver } from "../driver/driver.ts";
import { OutboxStore, type WaitingMessage } from "./outbox_store.ts";
import { relayLock } from "./relay_lock.ts";
import { NO_NUMBERS, RelayNumbers } from "./relay_numbers.ts";

/** Options of {@linkcode Relay}. */
export interface RelayOptions extends Pick<DependencySetupHost, "service" | "messenger" | "log" | "metrics"> {
  readonly driver: SqlDriver;
  /** Name of the database, or path of the file of SQLite. */
  readonly database: string;
  /** Milliseconds between two looks into the outbox while nobody wakes the relay. */
  readonly pollInterval: number;
  /** Milliseconds that a stop waits for the messages that are in the outbox, and for the broker. @default {3_000} */
  readonly stopLimit?: number;
}

/** Milliseconds between two attempts of an instance to become the one that relays. */
const STANDBY_INTERVAL = 1_000;

/** Milliseconds between two counts of the outbox. */
const COUNT_INTERVAL = 5_000;

/** The pause after a failure. */
const PAUSE: GrowingDelay = { first: 200, longest: 5_000 };

/** Milliseconds that the connection may take to close after that. */
const CLOSE_LIMIT = 1_000;

/** Relays until it is disposed. */
export class Relay implements AsyncDisposable {
  readonly #options: RelayOptions;
  readonly #numbers: RelayNumbers;
  readonly #stopping = new AbortController();
  /** Aborts when the stop waits no longer. */
  readonly #givingUp = new AbortController();
  readonly #ended: Promise<void>;
  /** Ends the pause of a relay that has nothing to do. */
  #rouse: (() => void) | undefined;
  #isWoken = false;
  #failures = 0;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#numbers = new RelayNumbers(options.metrics, options.service);
    this.#ended = this.#run();
  }

  /** Says that there is something in the outbox. */
  wake(): void {
    this.#isWoken = true;
    this.#rouse?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#rouse?.();
    const { stopLimit = 3_000 } = this.#options;
    const timer = setTimeout(() => this.#givingUp.abort(), stopLimit);
    // A database that does not answer any more cannot say goodbye either.
    await within(stopLimit + CLOSE_LIMIT, this.#ended);
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    const { driver, service, log } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await using connection = await driver.connect({ signal });
        await this.#serve(connection);
      } catch (error) {
        if (signal.aborted) return;
        if (this.#failures++ === 0) {
          log.warning(`Cannot relay the outbox of service "${service}": ${messageOf(error)}. Trying again`);
        }
        await pause(growingDelay(this.#failures, PAUSE), signal).catch(() => {});
      } finally {
        this.#numbers.set(NO_NUMBERS);
      }
    }
  }

  /** Waits for its turn, and relays until the stop. */
  async #serve(connection: SqlConnection): Promise<void> {
    const { driver, database, service, log, pollInterval } = this.#options;
    const stop = this.#stopping.signal;
    await using lock = relayLock(driver.dialect, database, connection, service);
    while (!await lock.take(stop)) {
      this.#failures = 0;
      await pause(STANDBY_INTERVAL, stop);
    }
    const store = new OutboxStore(connection, driver.dialect, service, this.#givingUp.signal);
    log.debug(`Relays the outbox of service "${service}"`);
    let countAt = 0;
    for (;;) {
      this.#isWoken = false;
      const { sent, parked } = await this.#relay(store);
      if (this.#failures > 0) log.info(`Relays the outbox of service "${service}" again`);
      this.#failures = 0;
      const now = performance.now();
      if (parked > 0 || now >= countAt) {
        this.#numbers.set(await store.numbers());
        countAt = now + COUNT_INTERVAL;
      }
      if (sent + parked > 0) continue;
      if (stop.aborted) return;
      await this.#idle(pollInterval);
    }
  }

  /** Sends the messages that have waited longest. */
  async #relay(store: OutboxStore): Promise<{ readonly sent: number; readonly parked: number }> {
    const waiting = await store.read();
    const results = await Promise.allSettled(waiting.map((each) => this.#send(each)));
    const sent: number[] = [];
    const refused: (readonly [WaitingMessage, string])[] = [];
    let fault: unknown;
    for (const [index, result] of results.entries()) {
      const message = waiting[index]!;
      if (result.status === "fulfilled") sent.push(message.id);
      else if (this.#givingUp.signal.aborted || !isRefusal(result.reason)) fault = result.reason;
      else refused.push([message, messageOf(result.reason)]);
    }
    await store.remove(sent);
    this.#numbers.relayed(sent.length);
    for (const [message, reason] of refused) await this.#park(store, message, reason);
    if (fault !== undefined) throw fault;
    return { sent: sent.length, parked: refused.length };
  }

  async #send({ message }: WaitingMessage): Promise<void> {
    if (message === undefined) throw new SyntaxError("Cannot read its properties: they are no JSON");
    const { signal } = this.#givingUp;
    await abortable(this.#options.messenger.publish(message, { signal }), signal);
  }

  async #park(store: OutboxStore, { id, messageId }: WaitingMessage, reason: string): Promise<void> {
    await store.park(id, reason);
    const { service, log } = this.#options;
    log.error(
      `Parked message ${messageId} of the outbox of service "${service}": ${reason}. When that is mended: ` +
        `update enoki_outbox set parked = 0 where id = ${id}`,
    );
  }

  /** Waits until somebody wakes the relay, or for `duration` milliseconds. */
  async #idle(duration: number): Promise<void> {
    if (this.#isWoken) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, duration);
    this.#rouse = resolve;
    await promise;
    this.#rouse = undefined;
    clearTimeout(timer);
  }
}

/** Whether a message fails for its own sake. The others fail because the transport is closed. */
function isRefusal(reason: unknown): boolean {
  return !(reason instanceof BrokerError) || !/\bthe transport (?:is|was) closed\b/.test(reason.message);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
