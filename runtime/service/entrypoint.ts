import { BRAND } from "./brand.ts";
import type { Call } from "./call.ts";
import type { Body, Reply } from "../message/reply.ts";
import type { Parameter } from "./parameters.ts";
import type { PlainRecord } from "../message/plain.ts";
import type { Delivery, FieldTable } from "../message/transport.ts";

declare const SIGNATURE: unique symbol;

/** What a message says beside its payload: where it was sent, its properties, whether it was offered before. */
export type ReceivedMessage = Omit<Delivery, "body" | "signal">;

/** What reaches a thread: the undecoded message of one call. */
export interface Payload {
  /** Text where the message is text, bytes elsewhere, nothing for a timer's tick. */
  readonly body: Body;
  readonly contentType: string | undefined;
  readonly headers: FieldTable | undefined;
  /** Only for the kinds of entrypoint whose handlers get it; the facts of a request where it is no message. */
  readonly message?: ReceivedMessage | PlainRecord | string;
}

/** What an entrypoint's thread half knows of the handler it feeds. */
export interface HandlerFacts {
  readonly service: string;
  readonly method: string;
  /**
   * The handler's parameters after the context; undefined where its source cannot tell, or nobody is to ask it:
   * {@linkcode EntrypointSpec.bindsByName}.
   */
  readonly parameters: readonly Parameter[] | undefined;
}

/** The thread half of an entrypoint: from the message to the handler's arguments, and back. */
export interface Conversion {
  /** @throws {BadRequestError} If the message does not fit; the handler is not called then. */
  decode(payload: Payload, call: Call): readonly unknown[] | Promise<readonly unknown[]>;
  /** @throws If the result cannot be encoded. */
  encode(result: unknown, call: Call): Body | Reply | Promise<Body | Reply>;
  /**
   * Makes a reply of what was thrown, which the call is then done with; it is logged all the same.
   *
   * Undefined leaves it to the host half, as it is without this method.
   */
  encodeError?(
    thrown: unknown,
    expected: boolean,
    payload: Payload,
    call: Call,
  ): Reply | undefined | Promise<Reply | undefined>;
  /** What the log of a failed call says beside its arguments. */
  logProperties?(payload: Payload): PlainRecord;
}

/**
 * What an author writes in `entrypoints`: a kind and its options, inert; they become the manifest.
 *
 * `prepare` stays in the thread. `Args` and `Result` exist for the compiler only.
 *
 * @typeParam Args What the handler receives after its context; `never[]` leaves it to the handler.
 */
export interface EntrypointSpec<
  Kind extends string = string,
  Args extends readonly unknown[] = readonly never[],
  Result = unknown,
> {
  readonly [BRAND]: "entrypoint";
  readonly kind: Kind;
  /** Plain data: the main thread reads it in the manifest. */
  readonly options: PlainRecord;
  /** Error names that are the caller's fault; logged at info. */
  readonly expected: readonly string[];
  /** Argument names that logs show masked. */
  readonly redact: readonly string[];
  /** Whether `prepare` wants the handler's parameters, which takes time and memory to find out. */
  readonly bindsByName: boolean;
  /** Makes the conversion of one thread. */
  readonly prepare: (facts: HandlerFacts) => Conversion;
  /** What documents say of it beside its options. Plain data; only asked for where somebody wants to know. */
  readonly describe?: () => PlainRecord;
  readonly [SIGNATURE]?: (...args: Args) => Result;
}

/** One or several entrypoints by method. */
// deno-lint-ignore no-explicit-any -- any signature; the handler types recover each one
export type AnyEntrypoint = EntrypointSpec<string, any, any>;

/** The entrypoints of a service by method; a method may have several. */
export type EntrypointTable = Readonly<Record<string, AnyEntrypoint | readonly AnyEntrypoint[]>>;

/** What an extension says of an entrypoint of its kind; the first three every author may say. */
export interface EntrypointDefinition<Kind extends string> {
  /** Names of error classes that are the caller's fault; they are logged at info instead of error. @default {[]} */
  readonly expected?: readonly string[] | undefined;
  /** Names of arguments that logs show as `********`. @default {[]} */
  readonly redact?: readonly string[] | undefined;
  /**
   * Milliseconds that a call may run. Then its caller is answered with an error, its signal is aborted, and a
   * handler that does not end at once loses its thread.
   *
   * @default {no limit}
   */
  readonly timeout?: number | undefined;
  readonly kind: Kind;
  /** Plain data for the manifest. */
  readonly options?: PlainRecord;
  /** Whether `prepare` wants the handler's parameters. @default {false} */
  readonly bindsByName?: boolean;
  readonly prepare: (facts: HandlerFacts) => Conversion;
  readonly describe?: () => PlainRecord;
}

/**
 * Makes an entrypoint of an extension's own kind.
 *
 * @throws {RangeError} If `timeout` is not a positive number of milliseconds.
 */
export function entrypoint<Kind extends string, Args extends readonly unknown[], Result>(
  { kind, options = {}, expected = [], redact = [], timeout, bindsByName = false, prepare, describe }:
    EntrypointDefinition<Kind>,
): EntrypointSpec<Kind, Args, Result> {
  if (timeout !== undefined && !(timeout > 0)) {
    throw new RangeError(
      `Cannot declare an entrypoint of kind "${kind}": timeout must be a positive number of milliseconds, got ${timeout}`,
    );
  }
  return {
    [BRAND]: "entrypoint",
    kind,
    options: timeout === undefined ? options : { ...options, timeout },
    expected,
    redact,
    bindsByName,
    prepare,
    ...(describe && { describe }),
  };
}
