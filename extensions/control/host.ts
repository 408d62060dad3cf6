/**
 * The answering side of the control channel.
 *
 * Invariant: whatever arrives costs little and harms nothing. A request is read within bounds, an answer goes to a
 * queue for answers and to no other, and few requests are answered at a time: the others wait in the broker, where
 * they expire when nobody waits for them any more. Nothing here ends the process or one of its services. If the
 * broker refuses an answer, the asker does not get it, and that is all.
 */
import { abortable, timeLimit, within } from "../../runtime/waiting/abort.ts";
import { UnroutableError } from "../../runtime/message/errors.ts";
import type { Log } from "../../runtime/log/log.ts";
import { maskTextSecrets } from "../../runtime/log/secrets.ts";
import type { PlainRecord } from "../../runtime/message/plain.ts";
import type { Delivery, Message, Transport, Verdict } from "../../runtime/message/transport.ts";
import { answerMessages, keepAliveMessage } from "./answer.ts";
import { type ControlRequest, readRequest, type ReceivedRequest } from "./request.ts";
import { instanceTopology, requestQueueOf } from "./topology.ts";

/** Answers one kind of request. */
export interface ControlResponder {
  /** Whether it changes what the process does, which the operator has to allow. @default {false} */
  readonly manages?: boolean;
  /** Whether it takes long, so that other requests must not wait for it. @default {false} */
  readonly lasting?: boolean;
  /**
   * Gives the answer, or several answers one after the other. With undefined, the process does not answer. What lasts
   * ends when the asker has gone: `signal` aborts then, even if no further answer was to be sent.
   *
   * What it rejects with becomes an error for the asker. An answer must hold no argument, no payload, no secret and
   * no value of the configuration.
   *
   * @param request Its other fields than those of {@linkcode ControlRequest} can have any value.
   * @param signal Aborts when the answer can no longer be sent, or takes too long.
   */
  respond(
    request: ControlRequest,
    signal: AbortSignal,
  ): PlainRecord | undefined | Promise<PlainRecord | undefined> | AsyncIterable<PlainRecord>;
}

/** Options of {@linkcode ControlHost}. */
export interface ControlHostOptions {
  /** The transport, connected. */
  readonly transport: Transport;
  /** Id of the instance, made of letters, digits, `-` and `_`. @default {a new UUID} */
  readonly instance?: string;
  /** The kinds of requests that the process answers. */
  readonly responders: ReadonlyMap<string, ControlResponder>;
  /** Names of the services that the process serves now. */
  readonly services: () => Iterable<string>;
  /** Whether responders that manage are obeyed. @default {false} */
  readonly manage?: boolean;
  /**
   * Milliseconds without an answer after which the host looks whether the asker of several answers is still there.
   *
   * @default {10000}
   */
  readonly keepAlive?: number;
  readonly log: Log;
}

/** Requests that are answered at the same time. */
const PREFETCH = 8;

/** Requests with lasting answers that are answered at the same time. */
const MOST_LASTING = 16;

/** Milliseconds that an answer may take, if it does not last. */
const ANSWER_LIMIT = 5_000;

/** Milliseconds that the broker may take to confirm an answer. */
const SEND_LIMIT = 10_000;

/** Milliseconds that the answers under way may take to end, once the process stops. */
const END_LIMIT = 250;

/** Sends an answer, or why there is none. */
type Send = (answer: PlainRecord | undefined, error?: string) => Promise<void>;

/** Answers the requests of the control channel for one process. Disposing it ends the answers that are under way. */
export class ControlHost implements AsyncDisposable {
  /** Id of the instance. */
  readonly instance: string;
  readonly #options: ControlHostOptions;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #lasting = 0;

  constructor(options: ControlHostOptions) {
    this.#options = options;
    this.instance = options.instance ?? crypto.randomUUID();
  }

  /**
   * Declares the queue of the process, and answers from now on. The queue goes with the connection.
   *
   * @throws {BrokerError} If the broker refuses the exchange or the queue.
   */
  async start(): Promise<void> {
    const { transport } = this.#options;
    await transport.declare(instanceTopology(this.instance));
    const receive = (delivery: Delivery) => this.#receive(delivery);
    await transport.consume(requestQueueOf(this.instance), receive, { prefetch: PREFETCH });
  }

  /** Answers no more. The consumer stays until the transport closes, and takes what arrives. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new DOMException("The process stops", "AbortError"));
    await within(END_LIMIT, Promise.all(this.#running));
  }

  async #receive(delivery: Delivery): Promise<Verdict> {
    if (this.#closing.signal.aborted) return "ack";
    const received = readRequest(delivery);
    if (received === undefined) {
      this.#options.log.debug("Left out a message on the control channel that is no request");
    } else if (this.#concerns(received.request)) {
      const responder = this.#options.responders.get(received.request.ask);
      const answering = this.#answer(received, responder);
      this.#running.add(answering);
      void answering.then(() => this.#running.delete(answering));
      if (!responder?.lasting) await answering;
    }
    return "ack";
  }

  #concerns({ services, instances }: ControlRequest): boolean {
    if (instances !== undefined && !instances.includes(this.instance)) return false;
    return services === undefined || [...this.#options.services()].some((name) => services.includes(name));
  }

  /** Answers a request. Never rejects. */
  async #answer(received: ReceivedRequest, responder: ControlResponder | undefined): Promise<void> {
    const { request } = received;
    let sequence = 0;
    const send: Send = (answer, error) =>
      this.#publish(
        answerMessages({ instance: this.instance, sequence: sequence++, answer, error }, received),
      );
    try {
      if (responder === undefined) {
        return await send(undefined, `This version does not know "${request.ask}"`);
      }
      const refusal = this.#refusalOf(request, responder);
      if (refusal !== undefined) return await send(undefined, refusal);
      if (responder.lasting) this.#lasting++;
      try {
        await this.#respond(responder, received, send);
      } catch (error) {
        if (error instanceof UnroutableError || this.#closing.signal.aborted) throw error;
        await send(undefined, maskTextSecrets(error instanceof Error ? error.message : String(error)));
      } finally {
        if (responder.lasting) this.#lasting--;
      }
    } catch (error) {
      // The asker has gone, or the broker does not take the answer.
      this.#options.log.debug(`Cannot answer "${request.ask}" on the control channel: ${String(error)}`);
    }
  }

  #refusalOf({ ask }: ControlRequest, { manages, lasting }: ControlResponder): string | undefined {
    if (manages && !this.#options.manage) {
      return `The process does not obey "${ask}". Set control: { manage: true } in its configuration`;
    }
    if (lasting && this.#lasting >= MOST_LASTING) {
      return `The process answers ${MOST_LASTING} such requests already. End one of them`;
    }
    return undefined;
  }

  async #respond(responder: ControlResponder, received: ReceivedRequest, send: Send): Promise<void> {
    const over = new AbortController();
    const ending = AbortSignal.any([this.#closing.signal, over.signal]);
    using limit = timeLimit(responder.lasting ? Infinity : ANSWER_LIMIT, ending);
    try {
      const response = responder.respond(received.request, limit.signal);
      if (isSeveral(response)) return await this.#sendAll(response, send, received);
      const answer = await abortable(Promise.resolve(response), limit.signal);
      if (answer !== undefined) await send(answer);
    } finally {
      over.abort(new DOMException("The answer is over", "AbortError"));
    }
  }

  /** Sends answers as they come. While none comes, it looks from time to time whether the asker is there. */
  async #sendAll(
    answers: AsyncIterable<PlainRecord>,
    send: Send,
    to: ReceivedRequest,
  ): Promise<void> {
    const { keepAlive = 10_000 } = this.#options;
    const iterator = answers[Symbol.asyncIterator]();
    try {
      for (let next = iterator.next();;) {
        if (!await within(keepAlive, next)) {
          await this.#publish([keepAliveMessage(to)]);
          continue;
        }
        const { done, value } = await next;
        if (done) return;
        await send(value);
        next = iterator.next();
      }
    } finally {
      // An iterator that still waits ends by its signal.
      Promise.resolve(iterator.return?.()).catch(() => {});
    }
  }

  async #publish(messages: readonly Message[]): Promise<void> {
    using limit = timeLimit(SEND_LIMIT, this.#closing.signal);
    const { signal } = limit;
    await Promise.all(messages.map((message) => this.#options.transport.publish(message, { signal })));
  }
}

function isSeveral(value: unknown): value is AsyncIterable<PlainRecord> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
