import type { Duration } from "../../runtime/waiting/duration.ts";
import { entrypoint, type EntrypointSpec } from "../../runtime/service/entrypoint.ts";
import {
  type CheckedArgs,
  type CheckedResult,
  type InputSchemas,
  type KeywordParameters,
  methodSignature,
  type UncheckedArgs,
  type UncheckedResult,
  type Unstated,
} from "../../runtime/service/method_signature.ts";
import { type Backoff, retryOptions, type RetryPolicy } from "../../runtime/message/retry.ts";
import type { StandardSchema } from "../../runtime/service/standard_schema.ts";
import { isRecord, isTexts, type Plain, type PlainRecord } from "../../runtime/message/plain.ts";
import type { Serializer } from "../../runtime/message/serializer.ts";
import { type OptionNames, requireKnown } from "../../runtime/service/options/known_options.ts";
import { requestConversion } from "./request_conversion.ts";
import type { MethodLimits } from "../../runtime/service/limits/method_limits.ts";

declare const CLIENT: unique symbol;

/**
 * An RPC entrypoint.
 *
 * @typeParam ClientCall The call as a client makes it; the handler provides the types that it leaves out.
 */
export interface RpcSpec<
  Args extends readonly unknown[] = readonly never[],
  Result = unknown,
  ClientCall extends Unstated = Unstated,
> extends EntrypointSpec<"rpc", Args, Result> {
  /**
   * Carries the call of a client for the compiler, and is never there.
   *
   * @internal
   */
  readonly [CLIENT]?: ClientCall;
}

/**
 * The call as a client of this entrypoint makes it.
 *
 * @internal
 */
export type ClientCallOf<Spec> = Spec extends RpcSpec<infer _Args, infer _Result, infer ClientCall>
  ? ClientCall
  : never;

/** Options of {@linkcode rpc}. */
export interface RpcOptions extends MethodLimits {
  /**
   * Names of the handler's parameters after the context, for callers with keyword arguments, as in Python.
   *
   * With `{ kwargs: true }`, the last parameter gets, as one object, all keyword arguments that no other parameter
   * has the name of, as Python's keyword-only parameters do: `(ctx, order, { limit, page = 1 })`. If it is
   * destructured, its names are checked: one with a default may be left out. Callers of JavaScript give the object
   * itself as the last argument.
   *
   * @default {read from the handler's source}
   */
  readonly params?: readonly string[] | KeywordParameters;
  /**
   * Names of error classes that are the caller's fault. Such an error is logged at level info and causes no retry.
   *
   * @default {[]}
   */
  readonly expected?: readonly string[];
  /** What the method does, for documents and generated contracts. @default {none} */
  readonly description?: string;
  /** Names of arguments that logs show as `********`. @default {[]} */
  readonly redact?: readonly string[];
  /**
   * Milliseconds that a call may run. After that time its caller gets an error as the answer, its signal
   * aborts, and a handler that does not end at once loses its thread.
   *
   * @default {no limit}
   */
  readonly timeout?: Duration;
  /**
   * Retries after the handler has failed. The request waits in the broker, and the caller for the last answer. If its
   * time would be up by then, or the retries are used up, it gets the failure at once.
   *
   * @default {only when the handler throws `Retry`}
   */
  readonly retry?: RetryPolicy;
  /**
   * Serializers that read requests of content types beside those that the configuration accepts. A reply is written as
   * its request was.
   *
   * @default {[]}
   */
  readonly serializers?: readonly Serializer[];
  /**
   * Whether integers of JSON beyond 2⁵³ arrive as `bigint`, and `bigint`s in a result are written as integers. Without
   * it, a call with such an integer is refused, and so is such a result.
   *
   * @default {the configured `bigints`, false}
   */
  readonly bigints?: boolean;
}

/** Options of {@linkcode rpc} with schemas: zod, valibot, arktype or any other Standard Schema. */
export interface RpcSchemas<Input extends InputSchemas | undefined, Output extends StandardSchema | undefined>
  extends RpcOptions {
  /** Checks the arguments. If they do not pass, the caller gets an error and the handler is not called. */
  readonly input?: Input;
  /** Checks the result. If it does not pass, the caller gets an error. */
  readonly output?: Output;
}

const OPTIONS: OptionNames<RpcSchemas<undefined, undefined>> = {
  params: true,
  description: true,
  expected: true,
  redact: true,
  timeout: true,
  retry: true,
  serializers: true,
  bigints: true,
  input: true,
  output: true,
  concurrency: true,
  rate: true,
  priority: true,
};

/**
 * Declares that other services can call a method.
 *
 * Clients get their types from the annotated parameters and the result of the handler. A signature that is
 * given here (`rpc<(total: number) => Promise<Receipt>>()`), or schemas, give types to both the handler and
 * the clients.
 *
 * @throws {RangeError} If `timeout` is not a positive number of milliseconds, or a limit is out of its range.
 * @throws {TypeError} If `params` is neither a list of names nor `{ kwargs: true }`, or an option is not known.
 *
 * @example
 * ```ts
 * import { rpc, service } from "@enoki/enoki";
 *
 * export default service("payments", {
 *   entrypoints: { charge: rpc({ expected: ["Declined"] }) },
 *   handlers: { charge: (_context, total: number) => ({ paid: total }) },
 * });
 * ```
 */
export function rpc<
  Signature extends Unstated = Unstated,
  const Input extends InputSchemas | undefined = undefined,
  Output extends StandardSchema | undefined = undefined,
>(
  {
    params,
    description,
    expected,
    redact,
    timeout,
    retry,
    serializers,
    bigints,
    input,
    output,
    concurrency,
    rate,
    priority,
    ...others
  }: RpcSchemas<
    Input,
    Output
  > = {},
): RpcSpec<
  CheckedArgs<Input, Parameters<Signature>>,
  UncheckedResult<Output, ReturnType<Signature>>,
  (...args: UncheckedArgs<Input, Parameters<Signature>>) => CheckedResult<Output, ReturnType<Signature>>
> {
  requireKnown("Cannot declare an RPC method", "it", others, OPTIONS);
  if (params !== undefined && !isTexts(params) && !takesKeywords(params)) {
    throw new TypeError(
      `Cannot declare an RPC method with params ${Deno.inspect(params)}: give names, or { kwargs: true }`,
    );
  }
  const options: Record<string, Plain> = {};
  if (params !== undefined) options.params = isTexts(params) ? params : { kwargs: true };
  if (retry !== undefined) options.retry = checkedRetry(retry);
  return entrypoint({
    kind: "rpc",
    options,
    expected,
    redact,
    timeout,
    concurrency,
    rate,
    priority,
    overLimit: "wait",
    bindsByName: true,
    prepare: (facts) =>
      requestConversion(facts, methodSignature(facts, { params, input, output }), {
        serializers,
        bigints,
        retries: retry !== undefined,
      }),
    // Every thread loads this module, and few describe themselves: so the rest loads where one does.
    async describe(facts) {
      const { methodDetails } = await import("../../runtime/service/described/method_details.ts");
      return methodDetails(facts, { description, params, input, output, expected });
    },
  });
}

function takesKeywords(params: unknown): params is KeywordParameters {
  return isRecord(params) && params["kwargs"] === true && Object.keys(params).length === 1;
}

const RETRY_OPTIONS: OptionNames<RetryPolicy> = { max: true, backoff: true };
const BACKOFF_OPTIONS: OptionNames<Backoff> = { initial: true, factor: true, limit: true };

function checkedRetry(retry: RetryPolicy): PlainRecord {
  const action = "Cannot declare an RPC method";
  requireKnown(action, "retry", retry, RETRY_OPTIONS);
  if (isRecord(retry.backoff)) requireKnown(action, "retry.backoff", retry.backoff, BACKOFF_OPTIONS);
  return retryOptions(retry);
}
