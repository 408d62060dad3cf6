/**
 * This file describes a method that callers call by name, for contracts and documents. It runs in the thread, where
 * the schemas are.
 */
import type { Parameter } from "../declared/parameters.ts";
import type { DescribedHandler } from "../entrypoint.ts";
import { inputSchemas, type MethodOptions, namedParameters } from "../method_signature.ts";
import type { PlainRecord } from "../../message/plain.ts";
import type { StandardSchema } from "../standard_schema.ts";
import { toJsonSchema } from "./json_schema.ts";

/** What a thread reports of a method. */
export interface MethodDetails {
  readonly description?: string;
  /** The parameters as callers know them. Absent if nobody can know them. */
  readonly parameters?: readonly Parameter[];
  /** A JSON Schema for each argument that has one, in the order of the arguments. */
  readonly input?: readonly PlainRecord[];
  /** The JSON Schema of the result. */
  readonly output?: PlainRecord;
  /** Names of errors that are the caller's fault. Absent if there are none. */
  readonly expected?: readonly string[];
}

/** Makes {@linkcode MethodDetails} from the options of a method and its handler. */
export async function methodDetails(
  { parameters }: DescribedHandler,
  { description, params, input, output, expected = [] }: MethodOptions & {
    readonly description?: string | undefined;
    readonly expected?: readonly string[] | undefined;
  },
): Promise<PlainRecord> {
  const schemas = inputSchemas(input);
  const named = namedParameters(parameters, params);
  const details: MethodDetails = {
    ...(description !== undefined && { description }),
    ...(named !== undefined && {
      parameters: await Promise.all(named.map((each, index) => parameterOf(each, schemas[index]))),
    }),
    ...(input !== undefined && { input: schemas.map((each) => toJsonSchema(each, "input")) }),
    ...(output !== undefined && { output: toJsonSchema(output, "output") }),
    ...(expected.length > 0 && { expected }),
  };
  return details as PlainRecord & MethodDetails;
}

/** Describes a parameter as callers see it: one whose schema takes no `undefined` must not be left out. */
async function parameterOf(
  { name, optional, rest, keywords }: Parameter,
  schema: StandardSchema | undefined,
): Promise<Parameter> {
  const isOptional = optional && (schema === undefined || await accepts(schema, undefined));
  // What is undefined would not be plain data.
  return {
    ...(name !== undefined && { name }),
    optional: isOptional,
    rest,
    ...(keywords && { keywords }),
  } as Parameter;
}

async function accepts(schema: StandardSchema, value: unknown): Promise<boolean> {
  try {
    return (await schema["~standard"].validate(value)).issues === undefined;
  } catch {
    return false;
  }
}
