import { type Clock, LONGEST_TIMER, SYSTEM_CLOCK, type TimerName } from "../waiting/clock.ts";
import { type CallHeaders, decodeCallHeaders } from "../message/call_headers.ts";
import type { Call, CallRequest } from "../service/call.ts";
import { CallTimeoutError, ContainerStoppingError } from "../message/errors.ts";
import type { Log } from "../log/log.ts";
import type { LogFields } from "../log/log_fields.ts";
import type { CallMessage } from "../channel/port.ts";
import type { CancelReason } from "../message/reply.ts";
import { requireFields } from "../message/field_table.ts";
import type { Payload } from "../service/entrypoint.ts";
import type { PlainRecord } from "../message/plain.ts";
import {
  callIdOf,
  isTraceparent,
  spanIdOf,
  traceIdOf,
  TRACEPARENT_KEY,
  traceparentOf,
  traceparentOfSpan,
} from "../telemetry/trace.ts";
import type { FieldTable } from "../message/transport.ts";

/** The facts that all calls of one service share. */
export interface CallSurroundings {
  readonly service: string;
  /** Number of ids of former calls that a call id stack keeps: Nameko's `parent_calls_tracked`. */
  readonly parentCallsTracked: number;
  /** Gives a log that writes to the service's log, with `fields` of the call. */
  readonly logFor: (fields?: LogFields) => Log;
  /** Tells when the time of a call is up. @default {the clock of the machine} */
  readonly clock?: Clock;
}

/** The entrypoint of a call, as the call shows it. */
export interface CallEntry {
  readonly method: string;
  readonly kind: string;
  readonly options: PlainRecord;
  /** Makes the HTTP request of a call from its message. @default {calls of this kind have none} */
  readonly request?: ((payload: Payload) => CallRequest) | undefined;
}

/** The parts of a message that a scope needs. */
export type ScopedMessage = Pick<CallMessage, "headers"> & Partial<CallMessage>;

/**
 * The `call` of one context.
 *
 * Each of its parts is made when the handler first asks for that part, because most handlers ask for nothing,
 * and an id, a signal or a log costs more than a short handler does.
 */
export class CallScope implements Call {
  /** Arguments of the handler. The invoker sets them once it has decoded the message. */
  arguments: readonly unknown[] = [];
  /** The context of the handler, for hooks. The invoker sets it before it runs them. */
  context: Readonly<Record<string, unknown>> = {};
  readonly #entry: CallEntry;
  readonly #message: ScopedMessage;
  readonly #surroundings: CallSurroundings;
  /** Epoch milliseconds at which the call's own timeout ends; infinite if it has none. */
  #timeoutAt: number;
  #decoded: CallHeaders | undefined;
  #request: CallRequest | undefined;
  #id: string | undefined;
  #traceparent: string | undefined;
  #stack: readonly string[] | undefined;
  #controller: AbortController | undefined;
  #deadlineTimer: TimerName | undefined;
  #cancelled: CancelReason | undefined;
  #log: Log | undefined;
  #ended = false;

  constructor(entry: CallEntry, message: ScopedMessage, surroundings: CallSurroundings) {
    this.#entry = entry;
    this.#message = message;
    this.#surroundings = surroundings;
    const { timeout } = message;
    this.#timeoutAt = timeout === undefined ? Infinity : this.#clock.now() + timeout;
  }

  get method(): string {
    return this.#entry.method;
  }

  get kind(): string {
    return this.#entry.kind;
  }

  get options(): PlainRecord {
    return this.#entry.options;
  }

  get request(): CallRequest | undefined {
    return this.#request ??= this.#entry.request?.(this.#message as CallMessage);
  }

  get service(): string {
    return this.#surroundings.service;
  }

  get id(): string {
    return this.#id ??= this.#newId();
  }

  get trace(): string | undefined {
    const { traceparent } = this.headers;
    return isTraceparent(traceparent) ? traceIdOf(traceparent) : undefined;
  }

  /** Names the call as a span of its trace; undefined if telemetry is off. */
  get traceparent(): string | undefined {
    const { span, headers } = this.#message;
    return span === undefined
      ? undefined
      : this.#traceparent ??= traceparentOfSpan(span, traceparentOf(headers));
  }

  get #span(): string | undefined {
    const { traceparent } = this;
    return traceparent && spanIdOf(traceparent);
  }

  get stack(): readonly string[] {
    return this.#stack ??= trim([...this.#headers.stack, this.id], this.#surroundings.parentCallsTracked + 1);
  }

  get headers(): FieldTable {
    return this.#headers.data;
  }

  carry(data: FieldTable): void {
    requireFields(data);
    const { stack, deadline } = this.#headers;
    this.#decoded = { stack, deadline, data: { ...this.#headers.data, ...data } };
  }

  get deadline(): number | undefined {
    const deadline = Math.min(this.#callersDeadline ?? Infinity, this.#timeoutAt);
    return deadline === Infinity ? undefined : deadline;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cancelled !== undefined) this.#abort(this.#cancelled);
      else this.#watchDeadline();
    }
    return this.#controller.signal;
  }

  get log(): Log {
    return this.#log ??= this.#surroundings.logFor({
      trace: this.trace,
      span: this.#span,
      call: this.id,
      parent: this.#headers.stack.at(-1),
      method: this.method,
      request: this.request?.id,
    });
  }

  /** Aborts the signal at once, or when the handler first asks for it. */
  cancel(reason: CancelReason): void {
    this.#cancelled ??= reason;
    this.#abort(reason);
  }

  /**
   * Removes the call's own timeout: its reply has begun, and may take any length of time. The caller's
   * deadline still counts.
   */
  liftTimeout(): void {
    this.#timeoutAt = Infinity;
  }

  /** Ends the call, and with it the timer for its deadline. */
  end(): void {
    this.#ended = true;
    this.#clock.clearTimer(this.#deadlineTimer);
  }

  get #clock(): Clock {
    return this.#surroundings.clock ?? SYSTEM_CLOCK;
  }

  get #callersDeadline(): number | undefined {
    return this.#message.deadline ?? this.#headers.deadline;
  }

  get #headers(): CallHeaders {
    return this.#decoded ??= this.#decode();
  }

  #decode(): CallHeaders {
    const decoded = decodeCallHeaders(this.#message.headers, this.#clock);
    const { traceparent } = this;
    if (traceparent === undefined) return decoded;
    // The call sends its own span on, in place of the one that led to it.
    return { ...decoded, data: { ...decoded.data, [TRACEPARENT_KEY]: traceparent } };
  }

  #newId(): string {
    const { traceparent } = this;
    return traceparent === undefined
      ? `${this.service}.${this.method}.${crypto.randomUUID()}`
      : callIdOf(this.service, this.method, traceparent);
  }

  /**
   * Watches the deadline of the caller only.
   *
   * The main thread watches the call's own timeout and tells this thread of it: an outcome that comes after
   * that timeout does not count any more.
   */
  #watchDeadline(): void {
    const deadline = this.#callersDeadline;
    if (deadline === undefined || this.#ended) return;
    const left = deadline - this.#clock.now();
    if (left <= 0) this.cancel("timeout");
    else {this.#deadlineTimer = this.#clock.setTimer(() =>
        this.cancel("timeout"), Math.min(left, LONGEST_TIMER));}
  }

  #abort(reason: CancelReason): void {
    this.#controller?.abort(cancellation(`${this.service}.${this.method}`, reason));
  }
}

function cancellation(name: string, reason: CancelReason): Error {
  switch (reason) {
    case "timeout":
      return new CallTimeoutError(`Cannot finish "${name}": its time is up`);
    case "stopping":
      return new ContainerStoppingError(`Cannot finish "${name}": its container is stopping`);
    case "cancelled":
      return new DOMException(`The call of "${name}" was cancelled`, "AbortError");
  }
}

/** Trims a stack from the left, as Nameko does; a limit of zero or less empties the stack. */
function trim(stack: readonly string[], limit: number): readonly string[] {
  return limit <= 0 ? [] : stack.slice(-limit);
}
