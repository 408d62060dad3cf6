import type { Messenger, Request, RequestOptions } from "../../runtime/message/messenger.ts";
import type { Message } from "../../runtime/message/transport.ts";
import { decodeRequest, encodeFailure, encodeResult } from "../../extensions/rpc/wire.ts";

/** A handler that waits at the gate. */
export interface Held {
  readonly request: Request;
  /** Milliseconds that it waits at most. */
  readonly timeout: number;
  /** Aborted when the handler, or its thread, gives up. */
  readonly signal: AbortSignal | undefined;
  /** Lets the handler go on. */
  release(result?: unknown): void;
  /** Fails the handler's question. */
  refuse(error: Error): void;
}

/** A {@linkcode Messenger} whose answers the test gives: so it can hold a handler for as long as it likes. */
export class Gate implements Messenger {
  readonly published: Message[] = [];
  readonly #opened = new Set<string>();
  #isOpen = false;
  readonly #held = new Map<string, PromiseWithResolvers<Held>>();

  /** The handler that asked for `name`; waits until it does. */
  arrival(name: string): Promise<Held> {
    return this.#of(name).promise;
  }

  /** Lets all handlers go that ask for these names, now or later. */
  open(...names: readonly string[]): void {
    for (const name of names) {
      this.#opened.add(name);
      void this.#held.get(name)?.promise.then((held) => held.release());
    }
  }

  /** Lets all handlers go, those that hold and those that come. */
  openAll(): void {
    this.#isOpen = true;
    for (const { promise } of this.#held.values()) void promise.then(({ release }) => release());
  }

  request(request: Request, { timeout, signal }: RequestOptions): Promise<string | Uint8Array> {
    const name = String(decodeRequest(request.body).args[0]);
    if (this.#isOpen || this.#opened.has(name)) return Promise.resolve(encodeResult("null"));
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    this.#of(name).resolve({
      request,
      timeout,
      signal,
      release: (result = null) => resolve(encodeResult(JSON.stringify(result))),
      refuse: (error) =>
        resolve(
          encodeFailure(
            { name: error.name, message: error.message, code: "ERROR", retryable: false },
            "gate",
          ),
        ),
    });
    return promise;
  }

  publish(message: Message): Promise<void> {
    this.published.push(message);
    return Promise.resolve();
  }

  #of(name: string): PromiseWithResolvers<Held> {
    let held = this.#held.get(name);
    if (held === undefined) this.#held.set(name, held = Promise.withResolvers());
    return held;
  }
}
