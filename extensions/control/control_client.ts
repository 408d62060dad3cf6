/**
 * The asking side of the control channel.
 *
 * Nobody knows how many processes listen: the broker copies a request into the queue of each of them. So a question
 * ends when the answers have stopped coming, or at once if no process has a queue, or if the instances are named and
 * all of them have answered. A question that lasts ends when its asker ends it.
 *
 * What a question costs, with 1,000 instances: the client publishes one message of about 200 bytes, the broker makes
 * 1,000 copies of the reference to it, and each process publishes one answer. A status has about 250 bytes and 200
 * more for each service, so 0.5 MB come to the client for one service each; at the 20,000 messages a second that a
 * client reads, that is 50 ms of its time, and `MOST_PENDING` answers are on their way to it at most. The manifests
 * (1 to 20 kB) are asked from one instance of each version only, so their number is that of the versions. A question
 * ends `quiet` after its last answer. What bounds the answer of a process is its main thread: a process that is busy
 * for longer than `quiet` after all others is missed. `timeout` ends a question in any case.
 *
 * `deno task bench control` measures it. On two cores that also ran the broker, all 1,000 instances and other work,
 * the last of 50 answers came after 0.03 s and the last of 1,000 after 0.35 s, so the questions ended after 0.23 s and
 * 0.55 s.
 */
import { type Duration, requireDuration } from "../../runtime/waiting/duration.ts";
import { abortable, timeLimit } from "../../runtime/waiting/abort.ts";
import { BrokerError, UnroutableError } from "../../runtime/message/errors.ts";
import type { Delivery, Transport, Verdict } from "../../runtime/message/transport.ts";
import { AnswerReader, type ControlAnswer } from "./answer.ts";
import { RENEWAL } from "./leases.ts";
import { type ControlRequest, requestMessage } from "./request.ts";
import { clientTopology, replyQueueOf } from "./topology.ts";

export type { ControlAnswer, ControlRequest };

/** Options of {@linkcode ControlClient.ask}. */
export interface ControlAskOptions {
  /**
   * Whether each instance gives several answers, so that only `timeout`, `quiet` and `signal` end the question, or the
   * end of the iteration. Such a question is asked again and again: so answers that last go on, and instances that have
   * come since answer, too.
   *
   * @default {false}
   */
  readonly lasting?: boolean;
  /** Milliseconds after which a question that lasts is asked again. @default {5000} */
  readonly renewal?: Duration;
  /** Milliseconds after which the question ends in any case. @default {1500, and Infinity if it lasts} */
  readonly timeout?: Duration;
  /**
   * Milliseconds without a further answer after which the question ends. If it lasts, they count from the question on.
   *
   * @default {200, and Infinity if it lasts}
   */
  readonly quiet?: Duration;
  /** Aborting ends the question: the iteration throws the reason. */
  readonly signal?: AbortSignal;
}

/** Answers that are on their way from the broker. */
const MOST_PENDING = 1_000;

/** A question that is not over. */
interface Question {
  readonly reader: AnswerReader;
  readonly answers: ControlAnswer[];
  /** Time of the last answer. */
  answeredAt: number;
  /** Tells that an answer has come. */
  wake: () => void;
}

/** Asks the processes that serve. Disposing it ends its questions, and leaves the transport open. */
export class ControlClient implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #id: string = crypto.randomUUID();
  readonly #questions = new Map<string, Question>();
  readonly #closing = new AbortController();
  #listening: Promise<AsyncDisposable> | undefined;

  /**
   * Makes a client that asks over a transport.
   *
   * @param transport The transport, connected.
   */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Asks, and yields the answers as they come, each once.
   *
   * @throws {BrokerError} If the broker refuses the question, or does not confirm it in time.
   */
  async *ask(
    request: ControlRequest,
    {
      lasting = false,
      signal,
      ...times
    }: ControlAskOptions = {},
  ): AsyncGenerator<ControlAnswer, void, void> {
    const either = signal === undefined
      ? this.#closing.signal
      : AbortSignal.any([signal, this.#closing.signal]);
    either.throwIfAborted();
    const timeOf = (name: "renewal" | "timeout" | "quiet", otherwise: number) =>
      requireDuration("Cannot ask what runs", name, times[name] ?? otherwise);
    const renewal = timeOf("renewal", RENEWAL);
    const timeout = timeOf("timeout", lasting ? Infinity : 1_500);
    const quiet = timeOf("quiet", lasting ? Infinity : 200);
    const end = performance.now() + timeout;
    const correlationId = crypto.randomUUID();
    const question: Question = {
      reader: new AnswerReader(),
      answers: [],
      answeredAt: lasting ? performance.now() : Infinity,
      wake() {},
    };
    const missing = new Set(request.instances);
    this.#questions.set(correlationId, question);
    try {
      const isHeard = await this.#send(request, correlationId, end, either);
      if (!isHeard && !lasting) return;
      let renewAt = lasting ? performance.now() + renewal : Infinity;
      while (true) {
        for (const answer of question.answers.splice(0)) {
          missing.delete(answer.instance);
          yield answer;
        }
        if (!lasting && request.instances !== undefined && missing.size === 0) return;
        if (question.answers.length > 0) continue;
        const now = performance.now();
        const endsAt = Math.min(end, question.answeredAt + quiet);
        if (endsAt <= now) return;
        if (renewAt <= now) {
          renewAt = now + renewal;
          // A broker that is away is asked at the next renewal.
          this.#send(request, correlationId, end, either).catch(() => {});
        }
        await arrival(question, Math.min(endsAt, renewAt) - now, either);
      }
    } finally {
      this.#questions.delete(correlationId);
    }
  }

  /** Ends all questions that wait, and stops listening for answers. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new DOMException("The client of the control channel was closed", "AbortError"));
    const consumer = await this.#listening?.catch(() => undefined);
    await consumer?.[Symbol.asyncDispose]();
  }

  /** Sends the request. Returns false if no process listens. */
  async #send(
    request: ControlRequest,
    correlationId: string,
    end: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    using limit = timeLimit(Math.min(end - performance.now(), SEND_LIMIT), signal);
    try {
      await abortable(this.#listening ??= this.#listen(), limit.signal);
      const message = requestMessage(request, {
        replyTo: replyQueueOf(this.#id),
        correlationId,
        lifetime: end - performance.now(),
      });
      await this.#transport.publish(message, { signal: limit.signal });
      return true;
    } catch (error) {
      if (error instanceof UnroutableError) return false;
      signal.throwIfAborted();
      if (!limit.signal.aborted) throw error;
      throw new BrokerError(
        `Cannot ask for "${request.ask}": broker ${this.#transport.broker} did not confirm it in time. ` +
          "Check whether it blocks publishers",
        { cause: error },
      );
    }
  }

  async #listen(): Promise<AsyncDisposable> {
    try {
      await this.#transport.declare(clientTopology(this.#id));
      return await this.#transport.consume(replyQueueOf(this.#id), this.#receive, { prefetch: MOST_PENDING });
    } catch (error) {
      // The next question tries again.
      this.#listening = undefined;
      throw error;
    }
  }

  /** Takes what arrives off the queue, even if nobody waits for it any more. */
  readonly #receive = (delivery: Delivery): Promise<Verdict> => {
    const question = this.#questions.get(delivery.properties.correlationId ?? "");
    const answer = question?.reader.read(delivery);
    if (question !== undefined && answer !== undefined) {
      question.answers.push(answer);
      question.answeredAt = performance.now();
      question.wake();
    }
    return TAKEN;
  };
}

const TAKEN: Promise<Verdict> = Promise.resolve("ack");

/** Milliseconds that the broker may take to confirm a request. */
const SEND_LIMIT = 10_000;

/** Waits for an answer, at most `left` milliseconds. */
async function arrival(question: Question, left: number, signal: AbortSignal): Promise<void> {
  const arrived = new Promise<void>((resolve) => question.wake = resolve);
  using limit = timeLimit(left, signal);
  try {
    await abortable(arrived, limit.signal);
  } catch (error) {
    if (signal.aborted || !limit.signal.aborted) throw error;
  }
}
