import { faultOfMessage, faultOfRequest, isId } from "../channel/message_form.ts";
import type { FromThread, HostPort } from "../channel/port.ts";
import { describeFailure } from "../message/failure.ts";
import type { Messenger } from "../message/messenger.ts";
import { dependencyAt } from "../service/dependency.ts";
import { PendingMap } from "../waiting/pending_map.ts";

type Withdrawn = Extract<FromThread, { readonly type: "withdraw" }>;
type Sent = Extract<FromThread, { readonly type: "request" | "publish" }>;

/** A request or a message that has no answer yet. */
interface Running {
  readonly controller: AbortController;
  /** The service that a request goes to. */
  readonly service: string | undefined;
}

/** What the handlers in one thread send: requests and messages, until the main thread has their answers. */
export class ThreadRequests {
  readonly #port: HostPort;
  readonly #running = new PendingMap<number, Running>();
  #ended = false;

  constructor(port: HostPort) {
    this.#port = port;
  }

  /**
   * Number of requests to services and of messages that have no answer yet. What a dependency asks of its own half
   * does not count: a dependency may listen to it for as long as the thread lives.
   */
  get size(): number {
    let size = 0;
    for (const { service } of this.#running.values()) {
      if (service === undefined || dependencyAt(service) === undefined) size++;
    }
    return size;
  }

  /** Says whether a call of a service is among them. */
  asks(service: string): boolean {
    for (const running of this.#running.values()) if (running.service === service) return true;
    return false;
  }

  /**
   * Sends what a handler wants to send, or gives it up if the handler waits for it no more. Returns false, without an
   * effect, if no honest thread asks for that.
   */
  take(sent: Sent | Withdrawn, messenger: Messenger | undefined): boolean {
    if (sent.type === "withdraw") {
      this.#running.get(sent.id)?.controller.abort();
      return true;
    }
    if (!isId(sent.id) || messenger === undefined) return false;
    void this.#send(messenger, sent);
    return true;
  }

  /** Sends a request or a message, and answers the thread. Never rejects. */
  async #send(messenger: Messenger, sent: Sent): Promise<void> {
    const { id } = sent;
    const controller = new AbortController();
    const { signal } = controller;
    this.#running.set(id, {
      controller,
      service: sent.type === "request" ? sent.request?.service : undefined,
    });
    try {
      requireForm(sent);
      const body = sent.type === "request"
        ? await messenger.request(sent.request, { timeout: sent.timeout, signal })
        : await messenger.publish(sent.message, { signal }) ?? undefined;
      if (!this.#ended) this.#port.postMessage({ type: "answer", id, body });
    } catch (error) {
      if (!this.#ended && !signal.aborted) {
        this.#port.postMessage({ type: "refusal", id, failure: describeFailure(error) });
      }
    } finally {
      this.#running.delete(id);
    }
  }

  /** Gives up everything, because the thread is gone. */
  end(): void {
    this.#ended = true;
    for (const { controller } of this.#running.values()) controller.abort();
  }
}

function requireForm(sent: Sent): void {
  const fault = sent.type === "request"
    ? faultOfRequest(sent.request, sent.timeout)
    : faultOfMessage(sent.message);
  if (fault === undefined) return;
  const what = sent.type === "request" ? "a request" : "a message";
  throw new TypeError(`Cannot send ${what}: ${fault}. Check what the handler passes`);
}
