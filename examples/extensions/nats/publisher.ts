import { BrokerError, type Message, UnroutableError } from "@enoki/enoki";
import type { Transport } from "@enoki/enoki/hosting";
import { hadNoListener, timedOut } from "./client_library.ts";
import type { Link } from "./link.ts";
import { pack, type Parcel, readExchanges, route, send } from "./post.ts";
import type { Session } from "./session.ts";

type PublishOptions = NonNullable<Parameters<Transport["publish"]>[1]>;

/** A message that its publisher waits for. */
interface Publication {
  readonly parcel: Parcel;
  /** Publications with smaller numbers came before it. */
  readonly number: number;
  settled: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Number of messages that may wait for their confirm. The others wait here. */
const WINDOW = 1_000;

/**
 * Publishes messages in the order in which they come.
 *
 * All messages that have come meanwhile are one batch, whose exchanges are read together. A message that the server
 * has not confirmed when the connection is lost is sent again.
 */
export class Publisher {
  readonly #link: Link;
  #waiting: Publication[] = [];
  readonly #sent = new Set<Publication>();
  #pumping = false;
  #count = 0;
  /** Resolves when a publication has settled or goes back among those that wait. */
  #change = Promise.withResolvers<void>();
  #refusal: BrokerError | undefined;

  constructor(link: Link) {
    this.#link = link;
  }

  async publish(message: Message, { signal, cancellation }: PublishOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#refusal !== undefined) throw this.#refusal;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const publication: Publication = {
      parcel: pack(message),
      number: this.#count++,
      settled: false,
      resolve: () => this.#settle(publication, resolve),
      reject: (error) => this.#settle(publication, () => reject(error)),
    };
    const abort = () => publication.reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    cancellation?.onCancel(() =>
      publication.reject(new DOMException("The message was taken back", "AbortError"))
    );
    this.#waiting.push(publication);
    this.#pump();
    try {
      await promise;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Refuses new messages, and resolves when those that have come are confirmed or `signal` aborts. */
  async close(refusal: BrokerError, signal: AbortSignal): Promise<void> {
    this.#refusal = refusal;
    const giveUp = () => {
      for (const publication of [...this.#waiting, ...this.#sent]) publication.reject(refusal);
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp, { once: true });
    while (this.#waiting.some(({ settled }) => !settled) || this.#sent.size > 0) await this.#change.promise;
    signal.removeEventListener("abort", giveUp);
  }

  #settle(publication: Publication, how: () => void): void {
    if (publication.settled) return;
    publication.settled = true;
    this.#sent.delete(publication);
    how();
    this.#changed();
  }

  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#waiting.length > 0) {
        const session = await this.#link.session();
        this.#waiting.sort((one, other) => one.number - other.number);
        const batch = this.#waiting.splice(0, WINDOW).filter(({ settled }) => !settled);
        for (const publication of batch) this.#sent.add(publication);
        await this.#sendBatch(session, batch);
        while (this.#sent.size >= WINDOW) await this.#change.promise;
      }
    } catch {
      // The link is closed. `close` has rejected what waits here, or is about to.
    } finally {
      this.#pumping = false;
    }
  }

  async #sendBatch(session: Session, batch: readonly Publication[]): Promise<void> {
    try {
      const exchanges = await readExchanges(session, batch.map(({ parcel }) => parcel.message));
      for (const publication of batch) {
        if (!publication.settled) {
          this.#send(session, publication, () => route(publication.parcel.message, exchanges));
        }
      }
    } catch (error) {
      for (const publication of batch) this.#failed(session, publication, error);
    }
  }

  async #send(session: Session, publication: Publication, routed: () => readonly string[]): Promise<void> {
    const { parcel } = publication;
    try {
      const taken = await send(session, parcel, routed());
      const { mandatory = false, exchange, routingKey } = parcel.message;
      if (mandatory && taken === 0) publication.reject(new UnroutableError(exchange, routingKey));
      else publication.resolve();
    } catch (error) {
      this.#failed(session, publication, error);
    }
  }

  /** Sends a message again that the loss of the connection or a slow server is to blame for. */
  #failed(session: Session, publication: Publication, error: unknown): void {
    if (publication.settled) return;
    if (session.signal.aborted) this.#sendAgain(publication);
    else if (timedOut(error) || hadNoListener(error)) setTimeout(() => this.#sendAgain(publication), PAUSE);
    else if (error instanceof BrokerError) publication.reject(error);
    else {publication.reject(
        new BrokerError(`Cannot publish a message: ${(error as Error).message}`, { cause: error }),
      );}
  }

  #sendAgain(publication: Publication): void {
    if (publication.settled) return;
    this.#sent.delete(publication);
    this.#waiting.push(publication);
    this.#changed();
    this.#pump();
  }
}

/** Milliseconds before a message is sent again that the server did not take although it has the queue. */
const PAUSE = 250;
