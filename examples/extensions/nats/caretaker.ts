/**
 * Does what a NATS server does not do by itself: it dead-letters messages that have expired while they waited, and
 * removes queues that nobody uses any more.
 *
 * Each transport looks after the queues that it declares or sends to. Now and then one of all transports looks at
 * the queues of all, in case their own process has died. It looks only at messages that were never delivered, without
 * taking them; a consumer itself looks at what it is given.
 */
import { envelopeOf, openEnvelope } from "./envelope.ts";
import { answeredWith, CODES } from "./client_library.ts";
import { bury } from "./post.ts";
import { CONSUMER, forgetTimed, removeQueue } from "./queue.ts";
import { lifetimeOf } from "./queue_arguments.ts";
import { queueKey, type QueueRecord } from "./records.ts";
import type { Entry } from "./registry.ts";
import type { Session } from "./session.ts";

/** Milliseconds between two looks at the queues of all. */
const ROUND = 5_000;

/** Longest time of a timer in milliseconds. */
const LONGEST = 3_600_000;

/** Milliseconds before another attempt when a look has failed. */
const FAULT_PAUSE = 1_000;

/** Number of expired messages that one look moves. */
const MOST_MOVED = 100;

type Timer = ReturnType<typeof setTimeout>;

/** Looks after queues as long as one session lasts. */
export class Caretaker {
  readonly #session: Session;
  readonly #timers = new Map<string, { readonly timer: Timer; readonly at: number }>();
  readonly #looks = new Map<string, Promise<void>>();
  readonly #lifetimes = new Map<string, number | undefined>();
  #round: Promise<void> = Promise.resolve();
  readonly #rounds: Timer;
  #stopped = false;

  constructor(session: Session) {
    this.#session = session;
    this.#rounds = setInterval(() => void (this.#round = this.#makeRound().catch(() => {})), ROUND);
    session.signal.addEventListener("abort", () => this.stop(), { once: true });
  }

  /** Looks at a queue in some milliseconds, or earlier if that is planned. */
  lookIn(queue: string, milliseconds: number): void {
    if (this.#stopped) return;
    const at = Date.now() + Math.min(milliseconds, LONGEST);
    const planned = this.#timers.get(queue);
    if (planned !== undefined && planned.at <= at) return;
    clearTimeout(planned?.timer);
    const timer = setTimeout(() => {
      this.#timers.delete(queue);
      const before = this.#looks.get(queue) ?? Promise.resolve();
      const look = before.then(() => this.#lookAt(queue));
      this.#looks.set(queue, look);
      look.then(() => this.#looks.get(queue) === look && this.#looks.delete(queue));
    }, at - Date.now());
    this.#timers.set(queue, { timer, at });
  }

  /** Looks after a queue from now on. */
  adopt({ name, arguments: args }: QueueRecord): void {
    const known = this.#lifetimes.has(name);
    this.#lifetimes.set(name, args.messageLifetime);
    if (!known) this.lookIn(name, 0);
    else if (args.lease !== undefined) this.lookIn(name, args.lease);
  }

  /** Plans a look for the moment at which a message that was just sent expires. */
  sent(queue: string, expiration: string | undefined): void {
    if (!this.#lifetimes.has(queue)) return;
    const messageLifetime = this.#lifetimes.get(queue);
    const lifetime = lifetimeOf(messageLifetime === undefined ? {} : { messageLifetime }, expiration);
    if (lifetime !== undefined) this.lookIn(queue, lifetime);
  }

  /** Looks at nothing any more. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#rounds);
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Stops, and waits for the looks that are under way. */
  async finish(): Promise<void> {
    this.stop();
    await Promise.all([this.#round, ...this.#looks.values()]);
  }

  async #lookAt(queue: string): Promise<void> {
    if (this.#stopped) return;
    try {
      const next = await this.#look(queue);
      if (next !== undefined) this.lookIn(queue, next);
    } catch {
      // The next attempt, or the round of another transport, makes up for it.
      this.lookIn(queue, FAULT_PAUSE);
    }
  }

  /** Looks at a queue, and returns the milliseconds until something will have to be done; undefined if nothing. */
  async #look(queue: string): Promise<number | undefined> {
    const { registry } = this.#session;
    const entry = await registry.get<QueueRecord>(queueKey(queue));
    if (entry === undefined) {
      this.#lifetimes.delete(queue);
      await forgetTimed(this.#session, queue);
      return undefined;
    }
    const record = entry.value;
    const next = await this.#moveExpired(record);
    // Messages that are about to be dead-lettered keep their queue.
    const waits = next !== undefined && record.arguments.deadLetterExchange !== undefined;
    const end = waits ? undefined : await this.#endOf(entry);
    if (end !== undefined && end <= 0) {
      await removeQueue(this.#session, queue, (now) => now.revision === entry.revision);
      return 0;
    }
    const times = [next, end].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Returns the milliseconds until a queue goes, if nobody uses it until then; undefined if it stays. */
  async #endOf({ value: record, revision, changedAt }: Entry<QueueRecord>): Promise<number | undefined> {
    const { owner, autoDelete, used, consumers, arguments: { lease } } = record;
    if (owner === undefined && !autoDelete && lease === undefined) return undefined;
    const ids = consumers.map(({ session }) => session);
    const alive = await this.#session.alive(owner === undefined ? ids : [owner, ...ids]);
    if (owner !== undefined && !alive.has(owner)) return 0;
    if (ids.some((id) => alive.has(id))) return undefined;
    if (autoDelete && used) return 0;
    if (lease === undefined) return undefined;
    if (consumers.length > 0) {
      // Nobody has used it since its consumers died, which is now as far as anybody knows.
      await this.#session.registry.change<QueueRecord>(
        queueKey(record.name),
        (entry) => entry?.revision === revision ? { put: { ...record, consumers: [] } } : "keep",
      );
      return lease;
    }
    return changedAt + lease - Date.now();
  }

  /** Moves messages that expired at the head of a queue. Returns the milliseconds until the next one expires. */
  async #moveExpired(record: QueueRecord): Promise<number | undefined> {
    const { manager, names } = this.#session;
    const { messageLifetime, deadLetterExchange } = record.arguments;
    if (messageLifetime === undefined && deadLetterExchange === undefined) return undefined;
    const { stream } = record;
    const { num_pending, delivered } = await manager.consumers.info(stream, CONSUMER);
    if (num_pending === 0) return undefined;
    let next = delivered.stream_seq + 1;
    for (let moved = 0; moved < MOST_MOVED; moved++) {
      const query = { seq: next, next_by_subj: names.subject(record.name) };
      const message = await manager.streams.getMessage(stream, query);
      if (message === null) return undefined;
      const envelope = openEnvelope(envelopeOf({ headers: message.header }), record.name);
      const lifetime = lifetimeOf(record.arguments, envelope.properties.expiration);
      if (lifetime === undefined) return undefined;
      const time = message.time.getTime();
      const left = time + lifetime - Date.now();
      if (left > 0) return left;
      const { seq: sequence, data: body } = message;
      await bury(this.#session, record, { ...envelope, body }, { sequence, time }, "expired");
      try {
        await manager.streams.deleteMessage(stream, sequence, false);
      } catch (error) {
        // A consumer or another caretaker was faster, and its dead letter has the same id.
        if (!answeredWith(error, CODES.noMessageFound, CODES.noSuchSequence)) throw error;
      }
      next = sequence + 1;
    }
    return 0;
  }

  /** Looks at the queues of all, unless another transport has done so shortly before. */
  async #makeRound(): Promise<void> {
    const { registry } = this.#session;
    const mine = { put: this.#session.id };
    let chosen = false;
    await registry.change("round", (entry) => {
      chosen = entry === undefined || Date.now() - entry.changedAt >= ROUND * 0.9;
      return chosen ? mine : "keep";
    });
    if (!chosen) return;
    for (const token of await registry.list("timed")) {
      if (this.#stopped) return;
      const entry = await registry.get<string>(`timed.${token}`);
      if (entry !== undefined) await this.#lookAt(entry.value);
    }
  }
}
