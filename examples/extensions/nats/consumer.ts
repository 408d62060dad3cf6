import type { ConsumeOptions, Consumer, Receiver } from "@enoki/enoki/hosting";
import { Intake } from "./intake.ts";
import { join, leave } from "./membership.ts";
import type { Session } from "./session.ts";

/** A consumer of a queue: one intake after the other, one in each session. */
export class NatsConsumer implements Consumer {
  readonly queue: string;
  /** Milliseconds that the queue stays after its last consumer; undefined if for ever. */
  lease: number | undefined;
  readonly #id = crypto.randomUUID();
  readonly #receiver: Receiver;
  readonly #options: ConsumeOptions;
  readonly #onEnded: (consumer: NatsConsumer) => void;
  readonly #onCancelled: (consumer: NatsConsumer) => void;
  readonly #onLeft: (consumer: NatsConsumer) => void;
  #prefetch: number;
  #session: Session | undefined;
  #intake: Intake | undefined;
  #attached = false;
  #cancelling: Promise<void> | undefined;

  constructor(
    queue: string,
    receiver: Receiver,
    options: ConsumeOptions,
    { onEnded, onCancelled, onLeft }: {
      /** Called when the server has ended the intake, because the queue is gone. */
      readonly onEnded: (consumer: NatsConsumer) => void;
      /** Called when nobody has to resume the consumer any more. */
      readonly onCancelled: (consumer: NatsConsumer) => void;
      /** Called when the queue no longer has this consumer. */
      readonly onLeft: (consumer: NatsConsumer) => void;
    },
  ) {
    this.queue = queue;
    this.#receiver = receiver;
    this.#options = options;
    this.#onEnded = onEnded;
    this.#onCancelled = onCancelled;
    this.#onLeft = onLeft;
    this.#prefetch = requirePrefetch(options.prefetch);
  }

  get cancelled(): boolean {
    return this.#cancelling !== undefined;
  }

  /** Whether messages can come. */
  get attached(): boolean {
    return this.#attached;
  }

  /** Number of deliveries that wait for their verdict. */
  get held(): number {
    return this.#intake?.held ?? 0;
  }

  /** Acknowledgement subjects of these deliveries, in their order. */
  get openReplies(): readonly string[] {
    return this.#intake?.openReplies ?? [];
  }

  /** Consumes within a session. */
  async attach(session: Session): Promise<void> {
    // The server does not know that the last session is lost, and would wait for verdicts.
    for (const reply of this.openReplies) session.send(reply, "-NAK");
    const { exclusive = false, noAck = false } = this.#options;
    const record = await join(session, this.queue, { id: this.#id, exclusive });
    this.#session = session;
    this.#intake = new Intake({
      session,
      record,
      receiver: this.#receiver,
      prefetch: this.#prefetch,
      noAck,
      onEnded: () => this.#onEnded(this),
    });
    this.lease = record.arguments.lease;
    this.#attached = true;
    if (this.cancelled) await this.#leave();
  }

  /** Says that messages no longer come, because the connection or the queue is lost. */
  interrupted(): void {
    this.#attached = false;
    if (this.cancelled) return;
    try {
      this.#options.onInterrupted?.();
    } catch {
      // The interface forbids it, and it is not to hurt other consumers.
    }
  }

  // deno-lint-ignore require-await -- a wrong prefetch rejects
  async setPrefetch(prefetch: number): Promise<void> {
    this.#prefetch = requirePrefetch(prefetch);
    this.#intake?.setPrefetch(prefetch);
  }

  cancel(): Promise<void> {
    return this.#cancelling ??= this.#cancel();
  }

  async stop(): Promise<void> {
    await this.cancel();
    await this.#intake?.settled();
  }

  /** Leaves the queue alone without a word to the server, because the queue is deleted. */
  abandon(): void {
    this.#cancelling ??= this.#intake?.end() ?? Promise.resolve();
    this.#onCancelled(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #cancel(): Promise<void> {
    this.#onCancelled(this);
    await this.#leave();
  }

  async #leave(): Promise<void> {
    const session = this.#session;
    await this.#intake?.end();
    if (session === undefined || session.signal.aborted) return;
    try {
      await leave(session, this.queue, this.#id);
      this.#onLeft(this);
    } catch (error) {
      if (!session.signal.aborted) throw error;
    }
  }
}

function requirePrefetch(prefetch: number): number {
  if (Number.isSafeInteger(prefetch) && prefetch > 0) return prefetch;
  throw new RangeError(`Cannot consume with prefetch ${prefetch}: it must be a positive integer`);
}
