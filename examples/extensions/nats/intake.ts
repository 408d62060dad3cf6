/**
 * Pulls the messages of a queue within one session.
 *
 * A pull asks the server for as many messages as may still wait for a verdict, so the server sends no more. `asked`
 * counts what it may still send: each message is one of them, and the end of a pull gives back its rest.
 */
import type { Delivery, Receiver, Verdict } from "@enoki/enoki/hosting";
import { createInbox, type Msg, nanos, type Subscription } from "./client_library.ts";
import { type Envelope, envelopeOf, openEnvelope } from "./envelope.ts";
import { bury, type Place } from "./post.ts";
import { CONSUMER } from "./queue.ts";
import { lifetimeOf } from "./queue_arguments.ts";
import type { QueueRecord } from "./records.ts";
import type { Session } from "./session.ts";

/** Options of {@linkcode Intake}. */
export interface IntakeOptions {
  readonly session: Session;
  readonly record: QueueRecord;
  readonly receiver: Receiver;
  readonly prefetch: number;
  /** Whether the server forgets each message before the receiver gets it. */
  readonly noAck: boolean;
  /** Called once if the server ends the intake, because the queue is gone. */
  readonly onEnded: () => void;
}

/** Milliseconds that a pull waits for messages. */
const PULL_LIMIT = 30_000;

/** Milliseconds before the intake begins anew when the server has refused a pull. */
const FAULT_PAUSE = 1_000;

/** A message that is here and has no verdict yet. */
interface Open {
  readonly reply: string;
  readonly settled: Promise<void>;
}

export class Intake {
  readonly #options: IntakeOptions;
  readonly #open = new Set<Open>();
  readonly #beat: ReturnType<typeof setInterval>;
  #prefetch: number;
  #subscription: Subscription | undefined;
  #inbox = "";
  #asked = 0;
  /** Since when the server could have sent a message at once, in milliseconds since the epoch. */
  #waitingSince = Infinity;
  #ended = false;
  #restart: ReturnType<typeof setTimeout> | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#prefetch = options.prefetch;
    const { session } = options;
    this.#beat = setInterval(() => this.#showLife(), session.options.ackWait / 3);
    session.signal.addEventListener("abort", () => this.#finish(), { once: true });
    this.#subscribe();
    this.#pull();
  }

  /** Number of deliveries that wait for their verdict. */
  get held(): number {
    return this.#open.size;
  }

  /** Acknowledgement subjects of the deliveries that wait for their verdict, in their order. */
  get openReplies(): readonly string[] {
    return [...this.#open].map(({ reply }) => reply);
  }

  /**
   * What the server was asked for before cannot be taken back. To stop listening to it would be worse: the server
   * would wait for verdicts on messages that it was just sending.
   */
  setPrefetch(prefetch: number): void {
    this.#prefetch = prefetch;
    this.#pull();
  }

  /** Takes no more messages. Resolves when the server sends none. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#restart);
    await this.#unsubscribe();
  }

  /** Resolves when each delivery has a verdict that the server knows, or the session has ended. */
  async settled(): Promise<void> {
    const { signal, connection } = this.#options.session;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    if (signal.aborted) return this.#finish();
    const end = () => resolve();
    signal.addEventListener("abort", end, { once: true });
    await Promise.race([over, Promise.all([...this.#open].map(({ settled }) => settled))]);
    signal.removeEventListener("abort", end);
    if (!signal.aborted) await connection.flush().catch(() => {});
    this.#finish();
  }

  #finish(): void {
    this.#ended = true;
    clearInterval(this.#beat);
    clearTimeout(this.#restart);
  }

  #subscribe(): void {
    const { session } = this.#options;
    this.#inbox = createInbox();
    this.#asked = 0;
    this.#waitingSince = Infinity;
    const inbox = this.#inbox;
    this.#subscription = session.connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error !== null && error !== undefined) return;
        const status = message.headers?.code;
        if (status) this.#told(status, message, inbox);
        else if (message.reply !== undefined) this.#arrived(message, inbox === this.#inbox && !this.#ended);
      },
    });
  }

  async #unsubscribe(): Promise<void> {
    const subscription = this.#subscription;
    this.#subscription = undefined;
    if (this.#options.session.signal.aborted) return;
    await subscription?.drain().catch(() => {});
  }

  async #resubscribe(): Promise<void> {
    if (this.#ended || this.#options.session.signal.aborted) return;
    const before = this.#subscription;
    this.#subscribe();
    if (!this.#options.session.signal.aborted) await before?.drain().catch(() => {});
  }

  #pull(): void {
    const { session, record } = this.#options;
    const free = this.#prefetch - this.#open.size - this.#asked;
    if (this.#ended || session.signal.aborted || free <= 0) return;
    // One pull for each verdict would double the traffic.
    if (this.#asked > 0 && free < this.#prefetch / 2) return;
    if (this.#asked === 0) this.#waitingSince = Date.now();
    this.#asked += free;
    session.send(
      `$JS.API.CONSUMER.MSG.NEXT.${record.stream}.${CONSUMER}`,
      JSON.stringify({ batch: free, expires: nanos(PULL_LIMIT) }),
      this.#inbox,
    );
  }

  /** The server tells the end of a pull, or of the whole queue. */
  #told(status: number, { headers }: Msg, inbox: string): void {
    if (this.#ended || inbox !== this.#inbox) return;
    const rest = Number(headers?.get("Nats-Pending-Messages") || NaN);
    if (status === 408 && rest >= 0) {
      this.#asked = Math.max(0, this.#asked - rest);
      this.#pull();
    } else if (status === 503 || /deleted/i.test(headers?.description ?? "")) {
      this.#ended = true;
      void this.#unsubscribe();
      this.#options.onEnded();
    } else if (this.#restart === undefined) {
      this.#restart = setTimeout(() => {
        this.#restart = undefined;
        this.#resubscribe().then(() => this.#pull(), () => {});
      }, FAULT_PAUSE);
    }
  }

  #arrived(message: Msg, wanted: boolean): void {
    const { record } = this.#options;
    const reply = message.reply!;
    const place = placeOf(reply);
    const wasWaiting = this.#waitingSince <= place.time;
    if (wanted) {
      this.#asked = Math.max(0, this.#asked - 1);
      if (this.#asked === 0) this.#waitingSince = Infinity;
    }
    const envelope = openEnvelope(envelopeOf(message), record.name);
    const lifetime = lifetimeOf(record.arguments, envelope.properties.expiration);
    // A message that is sent at once has not waited, however long it was on its way.
    const expired = lifetime !== undefined && (place.redelivered || !wasWaiting) &&
      Date.now() >= place.time + lifetime;
    const settled = Promise.withResolvers<void>();
    const open = { reply, settled: settled.promise };
    this.#open.add(open);
    const settling = !wanted
      ? this.#requeue(reply)
      : expired
      ? this.#bury(message, envelope, place, "expired")
      : this.#offer(message, envelope, place);
    settling.catch(() => {}).finally(() => {
      this.#open.delete(open);
      settled.resolve();
      this.#pull();
    });
  }

  /** Never rejects but for a failure of the connection or of the server: then the server offers it again. */
  async #offer(message: Msg, envelope: Envelope, place: DeliveredPlace): Promise<void> {
    const { session, receiver, noAck } = this.#options;
    const { redelivered } = place;
    const delivery: Delivery = { ...envelope, body: message.data, redelivered, signal: session.signal };
    if (noAck) {
      await this.#acknowledged(message.reply!);
      await receiver(delivery);
      return;
    }
    let verdict: Verdict;
    try {
      verdict = await receiver(delivery);
    } catch {
      verdict = redelivered ? "reject" : "requeue";
    }
    if (session.signal.aborted) return;
    if (verdict === "ack") session.send(message.reply!, "+ACK");
    else if (verdict === "requeue") await this.#requeue(message.reply!);
    else await this.#bury(message, envelope, place, "rejected");
  }

  async #bury(
    message: Msg,
    envelope: Envelope,
    place: Place,
    reason: "rejected" | "expired",
  ): Promise<void> {
    const { session, record } = this.#options;
    try {
      await bury(session, record, { ...envelope, body: message.data }, place, reason);
    } catch (error) {
      if (!session.signal.aborted) await this.#requeue(message.reply!);
      throw error;
    }
    if (!session.signal.aborted) session.send(message.reply!, "+ACK");
  }

  /** Acknowledges, and waits until the server has confirmed that: what it has not forgotten, it offers again. */
  async #acknowledged(reply: string): Promise<void> {
    await this.#options.session.connection.request(reply, "+ACK", { timeout: 5_000 });
  }

  /** Waits for the answer, so that the next pull gets this message and none that came after it. */
  async #requeue(reply: string): Promise<void> {
    await this.#options.session.connection.request(reply, "-NAK", { timeout: 5_000 });
  }

  /** Keeps the server from offering the deliveries that are here to others. */
  #showLife(): void {
    const { session } = this.#options;
    if (session.signal.aborted) return;
    for (const { reply } of this.#open) session.send(reply, "+WPI");
  }
}

interface DeliveredPlace extends Place {
  readonly redelivered: boolean;
}

/**
 * Reads the subject of an acknowledgement, `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.…`. Newer servers put
 * a domain and an account before the stream.
 */
function placeOf(reply: string): DeliveredPlace {
  const tokens = reply.split(".");
  const [deliveries, sequence, , nanoseconds] = tokens.slice(tokens.length > 9 ? 6 : 4);
  return {
    redelivered: Number(deliveries) > 1,
    sequence: Number(sequence),
    time: Math.floor(Number(nanoseconds) / 1_000_000),
  };
}
