/**
 * The common part of all methods that callers call by name.
 *
 * It binds arguments to parameters, checks arguments and results by schemas, and encodes results.
 */
import { bindArguments, bindKeywordObject } from "./argument_binding.ts";
import { encodeJson } from "../message/codec.ts";
import type { HandlerFacts } from "./entrypoint.ts";
import { BadRequestError, BadResultError } from "../message/errors.ts";
import type { Parameter } from "./declared/parameters.ts";
import {
  describeIssues,
  issuesText,
  type SchemaInput,
  type SchemaOutput,
  type StandardSchema,
} from "./standard_schema.ts";

/** A signature that states nothing, so that the handler states its own arguments and result. */
export type Unstated = (...args: never[]) => unknown;

/** One schema for the first argument, or one for each argument. */
export type InputSchemas = StandardSchema | readonly StandardSchema[];

/**
 * The arguments that a handler gets.
 *
 * @internal
 */
export type CheckedArgs<Input, Stated extends readonly unknown[]> = Input extends readonly StandardSchema[]
  ? { -readonly [Index in keyof Input]: SchemaOutput<Input[Index]> }
  : Input extends StandardSchema ? [SchemaOutput<Input>]
  : Stated;

/**
 * The arguments that a client gives.
 *
 * @internal
 */
export type UncheckedArgs<Input, Stated extends readonly unknown[]> = Input extends readonly StandardSchema[]
  ? { -readonly [Index in keyof Input]: SchemaInput<Input[Index]> }
  : Input extends StandardSchema ? [SchemaInput<Input>]
  : Stated;

/**
 * The result that a client gets.
 *
 * @internal
 */
export type CheckedResult<Output, Stated> = Output extends StandardSchema ? SchemaOutput<Output> : Stated;

/**
 * The result that a handler gives.
 *
 * @internal
 */
export type UncheckedResult<Output, Stated> = Output extends StandardSchema ? SchemaInput<Output> : Stated;

/** Says that the last parameter of a handler takes the keyword arguments, as one object. */
export interface KeywordParameters {
  /** Always true. */
  readonly kwargs: true;
}

/** Options that describe the arguments and the result of a method. */
export interface MethodOptions {
  /** Names of the parameters. Without them, the names come from the handler's source. */
  readonly params?: readonly string[] | KeywordParameters | undefined;
  readonly input?: InputSchemas | undefined;
  readonly output?: StandardSchema | undefined;
}

/** Binds the arguments of a method and encodes its result. */
export interface MethodSignature {
  /**
   * Fits arguments to the handler's parameters.
   *
   * @throws {BadRequestError} If the arguments do not fit, or if a schema refuses one of them.
   */
  bind(
    args: readonly unknown[],
    kwargs?: Readonly<Record<string, unknown>>,
  ): readonly unknown[] | Promise<readonly unknown[]>;
  /**
   * Checks and encodes the handler's result.
   *
   * @param write Encodes a result. @default {JSON}
   * @throws {BadResultError} If `write` cannot carry the result, or if its schema refuses it.
   */
  encode(result: unknown): string | Promise<string>;
  encode<Encoded>(result: unknown, write: (result: unknown) => Encoded): Encoded | Promise<Encoded>;
}

/**
 * Makes the signature of a method.
 *
 * @param given How many arguments the entrypoint itself gives to the handler, before the arguments that the
 * signature covers. The handler may have fewer parameters.
 */
export function methodSignature(
  { method, parameters }: HandlerFacts,
  { params, input, output }: MethodOptions,
  given = 0,
): MethodSignature {
  const names = namedParameters(parameters, params, given);
  const takesKeywords = params !== undefined && "kwargs" in params;
  if (takesKeywords) requireKeywordParameter(method, names);
  const fit = takesKeywords ? bindKeywordObject : bindArguments;
  const inputs = inputSchemas(input);
  return {
    bind(args, kwargs) {
      const bound = fit(method, names, args, kwargs);
      return inputs.length === 0 ? bound : checkInputs(method, inputs, bound);
    },
    encode: <Encoded>(result: unknown, write = encodeJson as (result: unknown) => Encoded) =>
      output === undefined ? encodeResult(method, result, write) : checkOutput(method, output, result, write),
  };
}

/**
 * Returns the parameters of a method by the names that callers know; undefined if nobody can know them.
 *
 * @param parameters Those of the handler after its context.
 * @param given How many of them the entrypoint itself gives.
 */
export function namedParameters(
  parameters: readonly Parameter[] | undefined,
  params: MethodOptions["params"],
  given = 0,
): readonly Parameter[] | undefined {
  const own = parameters?.filter(({ rest }, index) => index >= given || rest);
  return params === undefined || "kwargs" in params ? own : merge(params, own);
}

/** Returns the schemas of the arguments, in their order. */
export function inputSchemas(input: InputSchemas | undefined): readonly StandardSchema[] {
  return input === undefined ? [] : "~standard" in input ? [input] : input;
}

/** @throws {TypeError} If the handler's source shows that it has no place for the object. */
function requireKeywordParameter(method: string, own: readonly Parameter[] | undefined): void {
  const last = own?.at(-1);
  if (own === undefined || (last !== undefined && !last.rest)) return;
  throw new TypeError(
    `Cannot pass keyword arguments to "${method}" as one object: its handler has no last parameter for them. ` +
      "Add one, or leave params out",
  );
}

/** Takes the stated names. Only the handler's source can tell whether a parameter is optional. */
function merge(params: readonly string[], read: readonly Parameter[] | undefined): readonly Parameter[] {
  return params.map((name, index) => ({ name, optional: read?.[index]?.optional ?? false, rest: false }));
}

async function checkInputs(
  method: string,
  schemas: readonly StandardSchema[],
  args: readonly unknown[],
): Promise<readonly unknown[]> {
  const checked = [...args];
  for (const [index, schema] of schemas.entries()) {
    const result = await schema["~standard"].validate(args[index]);
    if (result.issues !== undefined) {
      throw new BadRequestError(
        `Cannot call "${method}": argument ${index + 1} is not valid: ${issuesText(result.issues)}`,
        { data: { argument: index, issues: describeIssues(result.issues) } },
      );
    }
    checked[index] = result.value;
  }
  return checked;
}

async function checkOutput<Encoded>(
  method: string,
  schema: StandardSchema,
  value: unknown,
  write: (result: unknown) => Encoded,
): Promise<Encoded> {
  const result = await schema["~standard"].validate(value);
  if (result.issues !== undefined) {
    throw new BadResultError(
      `Cannot answer "${method}": its result is not valid: ${issuesText(result.issues)}`,
      { data: { issues: describeIssues(result.issues) } },
    );
  }
  return encodeResult(method, result.value, write);
}

function encodeResult<Encoded>(
  method: string,
  result: unknown,
  write: (result: unknown) => Encoded,
): Encoded {
  try {
    return write(result);
  } catch (error) {
    throw new BadResultError(
      `Unserializable value: \`${
        Deno.inspect(result, { depth: 1, strAbbreviateSize: 100 })
      }\` returned by "${method}": ${(error as Error).message}`,
      { cause: error },
    );
  }
}
