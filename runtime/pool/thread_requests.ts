import { faultOfMessage, faultOfRequest, isId } from "../channel/message_form.ts";
import type { FromThread, HostPort, ToThread } from "../channel/port.ts";
import { describeFailure } from "../message/failure.ts";
import type { Messenger, PublishOptions, RequestAnswer } from "../message/messenger.ts";
import { dependencyAt } from "../service/dependency.ts";
import { Cancellation } from "../waiting/cancellation.ts";
import { PendingMap } from "../waiting/pending_map.ts";

type Withdrawn = Extract<FromThread, { readonly type: "withdraw" }>;
type Sent = Extract<FromThread, { readonly type: "request" | "publish" }>;

/** A request or a message that has no answer yet. It also is the options with which it is sent. */
class Running implements PublishOptions {
  /** The service that a request goes to. */
  readonly service: string | undefined;
  readonly cancellation = new Cancellation();
  #controller: AbortController | undefined;
  #withdrawn = false;

  constructor(service: string | undefined) {
    this.service = service;
  }

  /** Whether the thread waits for it no more. */
  get withdrawn(): boolean {
    return this.#withdrawn;
  }

  /** Aborts when the thread waits for it no more. It is made only for who asks for it, because it costs much. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#withdrawn) this.#controller.abort();
    return this.#controller.signal;
  }

  withdraw(): void {
    this.#withdrawn = true;
    this.#controller?.abort();
    this.cancellation.cancel();
  }
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
      this.#running.get(sent.id)?.withdraw();
      return true;
    }
    if (!isId(sent.id) || messenger === undefined) return false;
    const { id } = sent;
    const running = new Running(sent.type === "request" ? sent.request?.service : undefined);
    this.#running.set(id, running);
    send(messenger, sent, running)
      .then((body) => this.#end(id, running, { type: "answer", id, body: body ?? undefined }))
      .catch((error) => this.#end(id, running, { type: "refusal", id, failure: describeFailure(error) }));
    return true;
  }

  /** Tells the thread what has come of it, unless nobody waits for that. */
  #end(id: number, running: Running, settlement: ToThread): void {
    this.#running.delete(id);
    if (!this.#ended && !running.withdrawn) this.#port.postMessage(settlement);
  }

  /** Gives up everything, because the thread is gone. */
  end(): void {
    this.#ended = true;
    for (const running of this.#running.values()) running.withdraw();
  }
}

function send(messenger: Messenger, sent: Sent, running: Running): Promise<RequestAnswer | void> {
  try {
    requireForm(sent);
    return sent.type === "publish"
      ? messenger.publish(sent.message, running)
      : messenger.request(sent.request, { timeout: sent.timeout, signal: running.signal });
  } catch (error) {
    return Promise.reject(error);
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
