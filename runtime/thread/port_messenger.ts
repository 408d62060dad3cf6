import { failureToError } from "../message/failure.ts";
import type {
  Messenger,
  PublishOptions,
  Request,
  RequestAnswer,
  RequestOptions,
} from "../message/messenger.ts";
import type { ThreadPort, ToThread } from "../channel/port.ts";
import type { Message } from "../message/transport.ts";
import { PendingMap } from "../waiting/pending_map.ts";

type Settlement = Extract<ToThread, { readonly type: "answer" | "refusal" }>;

/** The {@linkcode Messenger} of a thread: asks the main thread to send, and waits for its answer. */
export class PortMessenger implements Messenger {
  readonly #port: ThreadPort;
  readonly #waiting = new PendingMap<number, PromiseWithResolvers<Settlement>>();
  #lastId = 0;

  constructor(port: ThreadPort) {
    this.#port = port;
  }

  request(request: Request, { timeout, signal }: RequestOptions): Promise<RequestAnswer> {
    return this.#send((id) => ({ type: "request", id, request, timeout }), signal) as Promise<RequestAnswer>;
  }

  async publish(message: Message, { signal }: PublishOptions = {}): Promise<void> {
    await this.#send((id) => ({ type: "publish", id, message }), signal);
  }

  /** Takes the main thread's answer to a request or a publish, and ignores an answer that comes too late. */
  settle(message: Settlement): void {
    this.#waiting.get(message.id)?.resolve(message);
    this.#waiting.delete(message.id);
  }

  async #send(
    compose: (id: number) => Parameters<ThreadPort["postMessage"]>[0],
    signal: AbortSignal | undefined,
  ): Promise<RequestAnswer | undefined> {
    signal?.throwIfAborted();
    const id = ++this.#lastId;
    const waiting = Promise.withResolvers<Settlement>();
    // A message that cannot be posted throws here, before anything waits for its answer.
    this.#port.postMessage(compose(id));
    this.#waiting.set(id, waiting);
    const withdraw = signal && (() => {
      if (!this.#waiting.delete(id)) return;
      this.#port.postMessage({ type: "withdraw", id });
      waiting.reject(signal.reason);
    });
    if (withdraw) signal.addEventListener("abort", withdraw, { once: true });
    try {
      const settlement = await waiting.promise;
      if (settlement.type === "answer") return settlement.body;
      // The error is made here, and not where the refusal arrives: its stack shows the waiting handler.
      throw failureToError(settlement.failure);
    } finally {
      if (withdraw) signal.removeEventListener("abort", withdraw);
    }
  }
}
