import { type Duration, millisecondsOf, OR_TEXT, shownDuration } from "../waiting/duration.ts";
import { BRAND } from "./brand.ts";
import type { Call, CallRequest } from "./call.ts";
import type { Messenger } from "../message/messenger.ts";
import type { Body, Reply } from "../message/reply.ts";
import type { Parameter } from "./declared/parameters.ts";
import type { Payloads } from "../message/payload/payloads.ts";
import type { PlainRecord } from "../message/plain.ts";
import { limitOptions, type MethodLimits, type OverLimit } from "./limits/method_limits.ts";
import type { Delivery, FieldTable } from "../message/transport.ts";

declare const SIGNATURE: unique symbol;

/** The facts of a message beside its payload: its address, its properties, and whether it is a redelivery. */
export interface ReceivedMessage extends Omit<Delivery, "body" | "signal"> {
  /** Name of the queue that it came from. */
  readonly queue: string;
}

/** The undecoded message of one call, as it reaches a thread. */
export interface Payload {
  /** Text if the message is text, otherwise bytes. Undefined for a timer's tick. */
  readonly body: Body;
  /** How the body is encoded; undefined if the message does not say. */
  readonly contentType: string | undefined;
  /** The headers of the message; undefined if it has none. */
  readonly headers: FieldTable | undefined;
  /** The `traceparent` of what led to the call, where the headers do not name it, such as an HTTP request. */
  readonly parent?: string | undefined;
  /** Names the span of the call, if it has begun already. */
  readonly span?: string | number | undefined;
  /**
   * The facts of the message, or the facts of a request if the call does not come from a message. Only kinds
   * of entrypoint whose handlers get these facts have this field.
   */
  readonly message?: ReceivedMessage | PlainRecord | string;
  /** Epoch milliseconds after which nobody waits for the result. Absent if the headers alone may say so. */
  readonly deadline?: number;
  /**
   * Epoch milliseconds by which the answer must begin, if that differs from the deadline. Only the main thread knows
   * it: an answer that has begun may take longer.
   */
  readonly answerBy?: number;
  /**
   * Time at which the call came, as `performance.now()` gives it. Only the main thread knows it.
   *
   * @default {the time at which the call gets to the threads}
   */
  readonly at?: number | undefined;
  /** Priority of the message, from 0 to 255. Only the main thread knows it. @default {0} */
  readonly priority?: number;
}

/** The facts that an entrypoint's thread half knows about its handler. */
export interface HandlerFacts {
  /** Name of the service. */
  readonly service: string;
  /** The method that the entrypoint calls. */
  readonly method: string;
  /**
   * The handler's parameters after the context. Undefined if the handler's source does not tell them, or if
   * no entrypoint of the service needs them ({@linkcode EntrypointSpec.bindsByName}).
   */
  readonly parameters: readonly Parameter[] | undefined;
  /** Sends for the service. Kinds of entrypoint whose handlers send something of their own use it. */
  readonly messenger: Messenger;
  /** How the service writes and reads what has no serializer of its own. @default {JSON} */
  readonly payloads?: Payloads;
}

/** What an entrypoint that describes itself knows about its handler. */
export type DescribedHandler = Pick<HandlerFacts, "parameters">;

/** The thread half of an entrypoint: it makes arguments from a message, and a reply from a result. */
export interface Conversion {
  /**
   * Makes the handler's arguments from a message.
   *
   * @throws {BadRequestError} If the message does not fit. The thread then does not call the handler.
   */
  decode(payload: Payload, call: Call): readonly unknown[] | Promise<readonly unknown[]>;
  /**
   * Makes the body or the reply from the handler's result.
   *
   * @throws If the result cannot be encoded.
   */
  encode(result: unknown, call: Call, payload: Payload): Body | Reply | Promise<Body | Reply>;
  /**
   * Makes a reply from a thrown value. The call then ends with this reply, and the thread logs the failure
   * all the same.
   *
   * If the method returns undefined, or if there is no such method, the host half handles the failure.
   */
  encodeError?(
    thrown: unknown,
    expected: boolean,
    payload: Payload,
    call: Call,
  ): Reply | undefined | Promise<Reply | undefined>;
  /** Makes the HTTP request, without its body, by which a call came. @default {calls of this kind have none} */
  request?(payload: Payload): CallRequest;
  /** Gives the properties that the log of a failed call shows beside its arguments. */
  logProperties?(payload: Payload): PlainRecord;
}

/** How an entrypoint tells its messages apart, each of which is to be handled once. It stays in the thread. */
export interface OncePolicy {
  /** Seconds that an id is remembered. */
  readonly keepFor: number;
  /** Name of the dependency that keeps the inbox; undefined if there is only one. */
  readonly inbox: string | undefined;
  /**
   * Gives the id of a message.
   *
   * @throws {BadRequestError} If it has none.
   */
  idOf(decoded: unknown, payload: Payload): string;
}

/**
 * An entrypoint as an author writes it in `entrypoints`: an inert kind with its options.
 *
 * The kind and the options become part of the manifest. `prepare` stays in the thread. `Args` and `Result`
 * exist for the compiler only.
 *
 * @typeParam Args The arguments that the handler gets after its context. With `never[]`, the handler decides.
 */
export interface EntrypointSpec<
  Kind extends string = string,
  Args extends readonly unknown[] = readonly never[],
  Result = unknown,
> {
  /**
   * Tells an entrypoint from other values.
   *
   * @internal
   */
  readonly [BRAND]: "entrypoint";
  /** The kind, by which the main thread finds the other half. */
  readonly kind: Kind;
  /** Plain data. The main thread reads it in the manifest. */
  readonly options: PlainRecord;
  /** Names of errors that are the caller's fault. The thread logs them at info. */
  readonly expected: readonly string[];
  /** Names of arguments that logs show masked. */
  readonly redact: readonly string[];
  /** Whether `prepare` needs the handler's parameters. It takes time and memory to find them out. */
  readonly bindsByName: boolean;
  /** Whether handlers may be generators, whose items the conversion encodes one by one. */
  readonly streams?: boolean;
  /** Present if each message is to be handled once. */
  readonly once?: OncePolicy | undefined;
  /** Makes the conversion of one thread. */
  readonly prepare: (facts: HandlerFacts) => Conversion | Promise<Conversion>;
  /** Gives plain data for documents, beside the options. It runs only if somebody asks for the data. */
  readonly describe?: (facts: DescribedHandler) => PlainRecord | Promise<PlainRecord>;
  /**
   * Carries the arguments and the result for the compiler, and is never there.
   *
   * @internal
   */
  readonly [SIGNATURE]?: (...args: Args) => Result;
}

/** An entrypoint of any kind and signature. */
// deno-lint-ignore no-explicit-any -- any signature; the handler types recover each one
export type AnyEntrypoint = EntrypointSpec<string, any, any>;

/** The entrypoints of a service by method. A method may have several. */
export type EntrypointTable = Readonly<Record<string, AnyEntrypoint | readonly AnyEntrypoint[]>>;

/** The definition of an entrypoint by its extension. Every author may set the first three fields, and the limits. */
export interface EntrypointDefinition<Kind extends string> extends MethodLimits {
  /**
   * Names of error classes that are the caller's fault. The thread logs them at info instead of error. A
   * {@linkcode RemoteError} also counts by the name that the error had in its service.
   *
   * @default {[]}
   */
  readonly expected?: readonly string[] | undefined;
  /** Names of arguments that logs show as `********`. @default {[]} */
  readonly redact?: readonly string[] | undefined;
  /**
   * Milliseconds that a call may run. When they are over, the caller gets an error as its answer, and the
   * call's signal aborts. A handler that does not end then, within `kill_grace`, loses its thread.
   *
   * @default {no limit}
   */
  readonly timeout?: Duration | undefined;
  /** What becomes of a call above its limits. @default {"hold"} */
  readonly overLimit?: OverLimit;
  /** The kind, by which the main thread finds the other half. */
  readonly kind: Kind;
  /** Plain data for the manifest. */
  readonly options?: PlainRecord;
  /** Whether `prepare` needs the handler's parameters. @default {false} */
  readonly bindsByName?: boolean;
  /** Whether handlers may be generators, whose items `encode` turns into a stream. @default {false} */
  readonly streams?: boolean;
  /** How the messages are told apart, if each is to be handled once. @default {they are not} */
  readonly once?: OncePolicy | undefined;
  /** Makes the conversion of one thread. */
  readonly prepare: (facts: HandlerFacts) => Conversion | Promise<Conversion>;
  /** Gives plain data for documents, beside the options. It runs only if somebody asks for the data. */
  readonly describe?: (facts: DescribedHandler) => PlainRecord | Promise<PlainRecord>;
}

/**
 * Makes an entrypoint of a kind that an extension defines.
 *
 * @throws {RangeError} If `timeout` is not a positive number of milliseconds, or a limit is out of its range.
 * @throws {TypeError} If the rate has an unknown option, or lacks `perSecond`.
 */
export function entrypoint<Kind extends string, Args extends readonly unknown[], Result>(
  {
    kind,
    options = {},
    expected = [],
    redact = [],
    timeout,
    bindsByName = false,
    streams = false,
    once,
    overLimit = "hold",
    prepare,
    describe,
    ...limits
  }: EntrypointDefinition<Kind>,
): EntrypointSpec<Kind, Args, Result> {
  const limit = timeout === undefined ? undefined : millisecondsOf(timeout);
  if (limit !== undefined && !(limit > 0)) {
    throw new RangeError(
      `Cannot declare an entrypoint of kind "${kind}": timeout must be a positive number of milliseconds, ` +
        `${OR_TEXT}, got ${shownDuration(timeout)}`,
    );
  }
  return {
    [BRAND]: "entrypoint",
    kind,
    options: {
      ...options,
      ...(limit !== undefined && { timeout: limit }),
      ...limitOptions(kind, limits, overLimit),
    },
    expected,
    redact,
    bindsByName,
    ...(streams && { streams }),
    ...(once && { once }),
    prepare,
    ...(describe && { describe }),
  };
}
