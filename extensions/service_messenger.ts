/**
 * Sends the messages and the requests of one service.
 *
 * The transport publishes messages. A request goes to another service, unless its address belongs to this process. The
 * caller, which asks other services, is loaded with the first request: many services never ask anybody.
 */
import type {
  Messenger,
  PublishOptions,
  Request,
  RequestAnswer,
  RequestOptions,
} from "../runtime/message/messenger.ts";
import type { Message, Transport } from "../runtime/message/transport.ts";
import type { Answer } from "../runtime/hosting/host.ts";
import type { ClientGuards } from "./rpc/resilience/guards.ts";
import type { EventAudience } from "./events/event_audience.ts";
import type { BrokerAccess } from "./broker_access.ts";
import { CallTimeoutError } from "../runtime/message/errors.ts";
import { dependencyAt, hostAddress } from "../runtime/service/dependency.ts";
import { abortable, type TimeLimit, timeLimit } from "../runtime/waiting/abort.ts";
import type { Clock } from "../runtime/waiting/clock.ts";
import { Lazy } from "../runtime/waiting/lazy.ts";

/**
 * Answers a request inside the process. It acts in the same turn of the event loop, and only the answer may wait.
 *
 * @param service Name of the service that asks.
 */
export type LocalAnswer = (
  request: Request,
  service: string,
  options: Pick<RequestOptions, "signal">,
) => Answer | Promise<Answer>;

/** Options of {@linkcode ServiceMessenger}. */
export interface ServiceMessengerOptions {
  /** Name of the service that sends. */
  readonly service: string;
  readonly transport: Transport;
  /** Answers of this process itself, by the address of the request. */
  readonly local: ReadonlyMap<string, LocalAnswer>;
  /** The policies of clients. */
  readonly guards: ClientGuards;
  /** Refuses to send where the service may not. @default {the service may send everywhere} */
  readonly access?: BrokerAccess | undefined;
  /** Tells when the time of a question is up. @default {the clock of the machine} */
  readonly clock?: Clock;
  /** Makes what says which events of the service nobody handles. */
  readonly createAudience: () => Promise<EventAudience>;
  /** Makes the caller, which asks other services. */
  readonly createCaller: () => Promise<Messenger & AsyncDisposable>;
}

/** Sends for one service. Disposing it disposes the caller. */
export class ServiceMessenger implements Messenger, AsyncDisposable {
  readonly #service: string;
  readonly #transport: Transport;
  readonly #local: ReadonlyMap<string, LocalAnswer>;
  readonly #guards: ClientGuards;
  readonly #access: BrokerAccess | undefined;
  readonly #clock: Clock | undefined;
  readonly #audience: Lazy<EventAudience>;
  readonly #caller: Lazy<Messenger & AsyncDisposable>;

  constructor(
    { service, transport, local, guards, access, clock, createAudience, createCaller }:
      ServiceMessengerOptions,
  ) {
    this.#service = service;
    this.#transport = transport;
    this.#local = local;
    this.#guards = guards;
    this.#access = access;
    this.#clock = clock;
    this.#audience = new Lazy(createAudience);
    this.#caller = new Lazy(createCaller);
  }

  async request(request: Request, options: RequestOptions): Promise<RequestAnswer> {
    const answer = this.#local.get(request.service);
    if (answer !== undefined) return await this.#answer(answer, request, options);
    if (request.guard !== undefined) return await this.#requestGuarded(request, request.guard.key, options);
    this.#access?.requireRequest(request);
    const caller = this.#caller.value ?? await this.#caller.get();
    return await caller.request(request, options);
  }

  publish(message: Message, options?: PublishOptions): Promise<void> {
    if (this.#access !== undefined) {
      try {
        this.#access.requireMessage(message);
      } catch (error) {
        return Promise.reject(error);
      }
    }
    const audience = this.#audience.value;
    if (audience === undefined) return this.#publishFirst(message, options);
    return audience.isFirst(message)
      ? audience.publish(message, options)
      : this.#transport.publish(message, options);
  }

  #requestGuarded(request: Request, key: string, options: RequestOptions): Promise<RequestAnswer> {
    const guard = this.#guards.get(hostAddress(this.#service, key));
    if (guard === undefined) throw new TypeError(`Cannot call through client "${key}": it has no policies`);
    return guard.request(request, options, (request, options) => this.request(request, options));
  }

  /** Waits for an answer of this process as long as the asking thread waits. */
  async #answer(
    answer: LocalAnswer,
    request: Request,
    options: RequestOptions,
  ): Promise<string | Uint8Array> {
    using limit = new AnswerLimit(options, this.#clock);
    const given = answer(request, this.#service, limit);
    if (!(given instanceof Promise)) return given;
    try {
      return await abortable(given, limit.signal);
    } catch (error) {
      const { timeout, signal } = options;
      if (error !== limit.signal.reason || signal?.aborted) throw error;
      const dependency = dependencyAt(request.service);
      const asked = dependency === undefined ? `"${request.service}"` : `dependency "${dependency}"`;
      throw new CallTimeoutError(
        `Cannot ask ${asked}: its half in the main thread gave no answer within ${timeout} ms`,
      );
    }
  }

  async #publishFirst(message: Message, options?: PublishOptions): Promise<void> {
    await this.#audience.get();
    await this.publish(message, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const caller = await this.#caller.settled();
    await caller?.[Symbol.asyncDispose]();
  }
}

/** The limit of a question. It begins when somebody asks for its signal, so an answer that is there at once pays nothing. */
class AnswerLimit implements Disposable {
  readonly #options: RequestOptions;
  readonly #clock: Clock | undefined;
  #limit: TimeLimit | undefined;

  constructor(options: RequestOptions, clock: Clock | undefined) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Aborts when the time is up, or when nobody waits for the answer any more. */
  get signal(): AbortSignal {
    const { timeout, signal } = this.#options;
    return (this.#limit ??= timeLimit(timeout, signal, this.#clock)).signal;
  }

  [Symbol.dispose](): void {
    this.#limit?.[Symbol.dispose]();
  }
}
