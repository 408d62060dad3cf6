/**
 * The answering side of the control channel.
 *
 * Invariant: whatever arrives costs little and harms nothing. A request is read within bounds, an answer goes to a
 * queue for answers and to no other, and few requests are answered at a time: the others wait in the broker, where
 * they expire when nobody waits for them any more. Nothing here ends the process or one of its services. If the
 * broker refuses an answer, the asker does not get it, and that is all.
 */
import { abortable, timeLimit, within } from "../../runtime/waiting/abort.ts";
import type { Log } from "../../runtime/log/log.ts";
import { maskTextSecrets } from "../../runtime/log/secrets.ts";
import type { PlainRecord } from "../../runtime/message/plain.ts";
import type { Delivery, Transport, Verdict } from "../../runtime/message/transport.ts";
import { answerMessages, type ControlAnswer } from "./answer.ts";
import { type Lease, LEASE_TIME, Leases, MOST_LASTING } from "./leases.ts";
import { type ControlRequest, readRequest, type ReceivedRequest } from "./request.ts";
import { instanceTopology, requestQueueOf } from "./topology.ts";

/** Answers one kind of request. */
export interface ControlResponder {
  /** Whether it changes what the process does, which the operator has to allow. @default {false} */
  readonly manages?: boolean;
  /**
   * Whether it takes long, so that other requests must not wait for it. Its answers end when the asker does not ask again
   * in time. @default {false}
   */
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
  /** Milliseconds after which a lasting answer ends that nobody has asked for again. @default {20_000} */
  readonly leaseTime?: number;
  readonly log: Log;
}

/** Requests that are answered at the same time. */
const PREFETCH = 8;

/** Milliseconds that an answer may take, if it does not last. */
const ANSWER_LIMIT = 5_000;

/** Milliseconds that the broker may take to confirm an answer. */
const SEND_LIMIT = 10_000;

/** Milliseconds that the answers under way may take to end, once the process stops. */
const END_LIMIT = 250;

/** Answers the requests of the control channel for one process. Disposing it ends the answers that are under way. */
export class ControlHost implements AsyncDisposable {
  /** Id of the instance. */
  readonly instance: string;
  readonly #options: ControlHostOptions;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #leases: Leases;

  constructor(options: ControlHostOptions) {
    this.#options = options;
    this.#leases = new Leases(options.leaseTime ?? LEASE_TIME);
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
      if (responder?.lasting && this.#leases.renew(questionOf(received))) return "ack";
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
    const { log, manage = false } = this.#options;
    const { request } = received;
    const refuse = (error: string) =>
      this.#send(received, { instance: this.instance, sequence: 0, answer: undefined, error });
    try {
      if (responder === undefined) return await refuse(`This version does not know "${request.ask}"`);
      if (responder.manages && !manage) return await refuse(notManagedText(`obey "${request.ask}"`));
      if (!responder.lasting) {
        using limit = timeLimit(ANSWER_LIMIT, this.#closing.signal);
        return await this.#respond(received, responder, limit.signal);
      }
      if (this.#leases.full) {
        return await refuse(`The process answers ${MOST_LASTING} such requests already`);
      }
      using lease = this.#leases.begin(questionOf(received));
      const signal = AbortSignal.any([lease.signal, this.#closing.signal]);
      await this.#respond(received, responder, signal, lease);
      if (!signal.aborted) lease.complete();
    } catch (error) {
      // The asker has gone, or the broker does not take the answer.
      log.debug(`Cannot answer "${request.ask}" on the control channel: ${String(error)}`);
    }
  }

  /** Sends what the responder answers, or why it cannot. Rejects if the answer cannot be sent, or not in time. */
  async #respond(
    received: ReceivedRequest,
    responder: ControlResponder,
    signal: AbortSignal,
    lease?: Lease,
  ): Promise<void> {
    let sequence = lease?.sequence ?? 0;
    let isSending = false;
    const send = async (answer: PlainRecord | undefined, error?: string) => {
      isSending = true;
      lease?.reach(sequence + 1);
      await this.#send(received, { instance: this.instance, sequence: sequence++, answer, error });
      isSending = false;
    };
    try {
      const response = responder.respond(received.request, signal);
      if (isSeveral(response)) {
        await sendAll(response, send, signal);
      } else {
        const answer = await abortable(Promise.resolve(response), signal);
        if (answer !== undefined) await send(answer);
      }
    } catch (error) {
      if (isSending || this.#closing.signal.aborted || lease?.signal.aborted) throw error;
      await send(undefined, maskTextSecrets(error instanceof Error ? error.message : String(error)));
    }
  }

  async #send(to: ReceivedRequest, answer: ControlAnswer): Promise<void> {
    const { transport } = this.#options;
    using limit = timeLimit(SEND_LIMIT, this.#closing.signal);
    await Promise.all(
      answerMessages(answer, to).map((message) => transport.publish(message, { signal: limit.signal })),
    );
  }
}

/** Sends answers as they come, until the signal aborts. */
async function sendAll(
  answers: AsyncIterable<PlainRecord>,
  send: (answer: PlainRecord) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const iterator = answers[Symbol.asyncIterator]();
  try {
    while (true) {
      const { done, value } = await abortable(iterator.next(), signal);
      if (done) return;
      await send(value);
    }
  } finally {
    // An iterator that still waits ends by its signal.
    Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

/** Says that the operator has not allowed something. */
export function notManagedText(what: string): string {
  return `The process does not ${what}. Set control: { manage: true } in its configuration`;
}

/** Tells questions apart. */
function questionOf({ replyTo, correlationId }: ReceivedRequest): string {
  return `${replyTo} ${correlationId}`;
}

function isSeveral(value: unknown): value is AsyncIterable<PlainRecord> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
