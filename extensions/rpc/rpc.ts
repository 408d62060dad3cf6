import { entrypoint, type EntrypointSpec } from "../../runtime/service/entrypoint.ts";
import {
  type CheckedArgs,
  type CheckedResult,
  type InputSchemas,
  methodSignature,
  type UncheckedArgs,
  type UncheckedResult,
  type Unstated,
} from "../../runtime/service/method_signature.ts";
import type { StandardSchema } from "../../runtime/service/standard_schema.ts";
import { decodeRequest } from "./wire.ts";

declare const CLIENT: unique symbol;

/**
 * An RPC entrypoint.
 *
 * @typeParam ClientCall The call as a client makes it; the handler says what it leaves unstated.
 */
export interface RpcSpec<
  Args extends readonly unknown[] = readonly never[],
  Result = unknown,
  ClientCall extends Unstated = Unstated,
> extends EntrypointSpec<"rpc", Args, Result> {
  readonly [CLIENT]?: ClientCall;
}

/** The call as a client of this entrypoint makes it. */
export type ClientCallOf<Spec> = Spec extends RpcSpec<infer _Args, infer _Result, infer ClientCall>
  ? ClientCall
  : never;

/** Options of {@linkcode rpc}. */
export interface RpcOptions {
  /**
   * Names of the handler's parameters after the context, for callers that use keyword arguments (Python's do).
   *
   * @default {read from the handler's source}
   */
  readonly params?: readonly string[];
  /** Names of error classes that are the caller's fault; logged at info instead of error. @default {[]} */
  readonly expected?: readonly string[];
  /** Names of arguments that logs show as `********`. @default {[]} */
  readonly redact?: readonly string[];
  /**
   * Milliseconds a call may run. Then its caller is answered with an error, its signal is aborted, and a
   * handler that does not end at once loses its thread.
   *
   * @default {no limit}
   */
  readonly timeout?: number;
}

/** Options of {@linkcode rpc} with schemas: zod, valibot, arktype or any other Standard Schema. */
export interface RpcSchemas<Input extends InputSchemas | undefined, Output extends StandardSchema | undefined>
  extends RpcOptions {
  /** Checks the arguments; what does not pass is answered with an error and never reaches the handler. */
  readonly input?: Input;
  /** Checks the result; what does not pass is answered with an error. */
  readonly output?: Output;
}

/**
 * Declares that a method can be called by other services.
 *
 * The handler's own annotated parameters and result type its clients; a signature given here
 * (`rpc<(total: number) => Promise<Receipt>>()`) or schemas type both the handler and the clients.
 *
 * @throws {RangeError} If `timeout` is not a positive number of milliseconds.
 */
export function rpc<
  Signature extends Unstated = Unstated,
  const Input extends InputSchemas | undefined = undefined,
  Output extends StandardSchema | undefined = undefined,
>(
  { params, expected, redact, timeout, input, output }: RpcSchemas<Input, Output> = {},
): RpcSpec<
  CheckedArgs<Input, Parameters<Signature>>,
  UncheckedResult<Output, ReturnType<Signature>>,
  (...args: UncheckedArgs<Input, Parameters<Signature>>) => CheckedResult<Output, ReturnType<Signature>>
> {
  return entrypoint({
    kind: "rpc",
    options: params === undefined ? {} : { params },
    expected,
    redact,
    timeout,
    bindsByName: true,
    prepare: (facts) => {
      const { bind, encode } = methodSignature(facts, { params, input, output });
      return {
        decode({ body }) {
          const { args, kwargs } = decodeRequest(body ?? "");
          return bind(args, kwargs);
        },
        encode,
      };
    },
  });
}
