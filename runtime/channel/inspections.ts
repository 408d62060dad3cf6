import { isFailure, isId } from "./message_form.ts";
import type { FromThread, HostPort, InspectionSubject } from "./port.ts";
import { isRecord } from "../message/plain.ts";

/** Options of {@linkcode Inspections.take}. */
export interface InspectionOptions {
  /** Milliseconds that a profile takes. */
  readonly duration: number;
  /** Aborting ends the inspection: the iteration throws the reason. */
  readonly signal: AbortSignal;
}

/** Most bytes of a piece of what a thread has taken. */
export const INSPECTION_PIECE = 256 * 1024;

type Inspected = Extract<FromThread, { readonly type: "inspected" }>;

/** Asks a thread for a profile or a snapshot of itself. It comes in pieces, each only when the one before was taken. */
export class Inspections {
  readonly #port: HostPort;
  #last = 0;
  #asked: { readonly id: number; readonly answer: PromiseWithResolvers<Inspected> } | undefined;
  #isRunning = false;
  #ended = false;

  constructor(port: HostPort) {
    this.#port = port;
  }

  /**
   * Yields the bytes of a profile or a snapshot.
   *
   * @throws {Error} If the thread cannot do it, is gone, or is inspected already.
   */
  async *take(
    what: InspectionSubject,
    { duration, signal }: InspectionOptions,
  ): AsyncGenerator<Uint8Array, void, void> {
    signal.throwIfAborted();
    if (this.#isRunning) throw new Error(`Cannot take a ${what}: the thread is inspected already. Try later`);
    this.#isRunning = true;
    const id = ++this.#last;
    const abort = () => this.#asked?.answer.reject(signal.reason);
    signal.addEventListener("abort", abort);
    let isComplete = false;
    try {
      for (let step: InspectionSubject | "next" = what; !isComplete; step = "next") {
        const { piece, failure } = await this.#ask(id, step, duration);
        if (failure !== undefined) throw new Error(`Cannot take a ${what}: ${failure.message}`);
        isComplete = piece === undefined;
        if (piece !== undefined) yield piece;
      }
    } finally {
      signal.removeEventListener("abort", abort);
      this.#asked = undefined;
      this.#isRunning = false;
      if (!isComplete && !this.#ended) {
        this.#port.postMessage({ type: "inspect", id, step: "cancel", duration: 0 });
      }
    }
  }

  async #ask(id: number, step: InspectionSubject | "next", duration: number): Promise<Inspected> {
    if (this.#ended) throw new Error("Cannot inspect the thread: it is gone");
    const answer = Promise.withResolvers<Inspected>();
    this.#asked = { id, answer };
    this.#port.postMessage({ type: "inspect", id, step, duration });
    return await answer.promise;
  }

  /** Takes what the thread has sent. Returns false, without an effect, if no honest thread sends that. */
  receive(message: Inspected): boolean {
    const { id, piece, failure } = message;
    if (!isId(id) || id > this.#last || !isRecord(message)) return false;
    if (failure !== undefined && !isFailure(failure)) return false;
    if (piece !== undefined && !(piece instanceof Uint8Array && piece.length <= INSPECTION_PIECE)) {
      return false;
    }
    if (this.#asked?.id === id) this.#asked.answer.resolve(message);
    return true;
  }

  /** Ends the inspection, because the thread is gone. */
  end(): void {
    this.#ended = true;
    this.#asked?.answer.reject(new Error("Cannot inspect the thread any longer: it is gone"));
  }
}
