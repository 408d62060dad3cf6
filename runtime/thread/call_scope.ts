import { LONGEST_TIMER } from "../waiting/abort.ts";
import { type CallHeaders, decodeCallHeaders } from "../message/call_headers.ts";
import type { Call } from "../service/call.ts";
import { CallTimeoutError, ContainerStoppingError } from "../message/errors.ts";
import type { Log } from "../log/log.ts";
import type { CancelReason } from "../message/reply.ts";
import type { PlainRecord } from "../message/plain.ts";
import type { FieldTable } from "../message/transport.ts";

/** What the calls of one service have in common. */
export interface CallSurroundings {
  readonly service: string;
  /** Ids of former calls that a call id stack keeps; Nameko's `parent_calls_tracked`. */
  readonly parentCallsTracked: number;
  /** Writes to the service's log, with `properties` of the call. */
  readonly logFor: (properties: PlainRecord) => Log;
}

/**
 * The `call` of one context. All of it is made when first asked for: most handlers ask for nothing, and an id,
 * a signal or a log costs more than a short handler does.
 */
export class CallScope implements Call {
  readonly method: string;
  readonly #surroundings: CallSurroundings;
  readonly #messageHeaders: FieldTable | undefined;
  /** Epoch milliseconds at which its own timeout is over. */
  #timeoutAt: number;
  #decoded: CallHeaders | undefined;
  #id: string | undefined;
  #stack: readonly string[] | undefined;
  #controller: AbortController | undefined;
  #deadlineTimer: ReturnType<typeof setTimeout> | undefined;
  #cancelled: CancelReason | undefined;
  #log: Log | undefined;
  #ended = false;

  /** @param timeout Milliseconds that it may take from now on. */
  constructor(
    method: string,
    headers: FieldTable | undefined,
    surroundings: CallSurroundings,
    timeout?: number,
  ) {
    this.method = method;
    this.#messageHeaders = headers;
    this.#surroundings = surroundings;
    this.#timeoutAt = timeout === undefined ? Infinity : Date.now() + timeout;
  }

  get service(): string {
    return this.#surroundings.service;
  }

  get id(): string {
    return this.#id ??= `${this.service}.${this.method}.${crypto.randomUUID()}`;
  }

  get stack(): readonly string[] {
    return this.#stack ??= trim([...this.#headers.stack, this.id], this.#surroundings.parentCallsTracked + 1);
  }

  get headers(): FieldTable {
    return this.#headers.data;
  }

  get deadline(): number | undefined {
    const deadline = Math.min(this.#headers.deadline ?? Infinity, this.#timeoutAt);
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
    return this.#log ??= this.#surroundings.logFor({ call: this.id });
  }

  /** Aborts the signal, now or when it is first asked for. */
  cancel(reason: CancelReason): void {
    this.#cancelled ??= reason;
    this.#abort(reason);
  }

  /** Its reply has begun, and may take as long as it likes; what its caller has said still counts. */
  liftTimeout(): void {
    this.#timeoutAt = Infinity;
  }

  /** Lets go of what the call holds. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#deadlineTimer);
  }

  get #headers(): CallHeaders {
    return this.#decoded ??= decodeCallHeaders(this.#messageHeaders);
  }

  /** That of the caller. Of the call's own timeout main tells: what comes after that is no result any more. */
  #watchDeadline(): void {
    const { deadline } = this.#headers;
    if (deadline === undefined || this.#ended) return;
    const left = deadline - Date.now();
    if (left <= 0) this.cancel("timeout");
    else this.#deadlineTimer = setTimeout(() => this.cancel("timeout"), Math.min(left, LONGEST_TIMER));
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

/** Nameko trims from the left; a negative limit empties the stack. */
function trim(stack: readonly string[], limit: number): readonly string[] {
  return limit <= 0 ? [] : stack.slice(-limit);
}
