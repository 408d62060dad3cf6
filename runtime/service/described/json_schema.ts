/** Makes JSON Schema from a Standard Schema of any library. It runs in the thread, where the schema is. */
import { isRecord, type PlainRecord } from "../../message/plain.ts";
import type { StandardSchema } from "../standard_schema.ts";

/** The side of a schema to describe: the values that it takes, or the values that it gives. */
export type SchemaSide = "input" | "output";

type Options = Readonly<Record<string, unknown>>;

type Convert = (options: Options) => unknown;

const TARGET = "draft-2020-12";

/**
 * Options by vendor. With them, a library leaves open what JSON Schema cannot say, and does not refuse the
 * whole schema.
 */
const LENIENT: Readonly<Record<string, Options>> = {
  zod: { unrepresentable: "any" },
  valibot: { errorMode: "ignore" },
  arktype: { fallback: ({ base }: { readonly base: unknown }) => base },
};

/**
 * Describes a schema as JSON Schema, draft 2020-12.
 *
 * It uses the Standard JSON Schema interface. If a schema does not have this interface, it uses the method
 * `toJSONSchema` or `toJsonSchema`, which zod and arktype had before. It never throws: for a schema that
 * cannot be described, it returns a schema that allows everything, and whose description says so.
 */
export function toJsonSchema(schema: StandardSchema, side: SchemaSide): PlainRecord {
  try {
    const { vendor } = schema["~standard"];
    const lenient = LENIENT[vendor] ?? {};
    const convert = standardConversion(schema, side, lenient) ?? ownConversion(schema, side, lenient);
    if (convert === undefined) return indescribable(`${vendor} does not offer it as JSON Schema`);
    // A value that JSON does not have, such as a function, could not leave the thread.
    const described: unknown = JSON.parse(JSON.stringify(convert()));
    return isRecord(described) ? described as PlainRecord : indescribable(`${vendor} gave no object`);
  } catch (error) {
    return indescribable(error instanceof Error ? error.message : String(error));
  }
}

function standardConversion(
  schema: StandardSchema,
  side: SchemaSide,
  libraryOptions: Options,
): (() => unknown) | undefined {
  const { jsonSchema } = schema["~standard"] as {
    readonly jsonSchema?: Partial<Record<SchemaSide, Convert>>;
  };
  return jsonSchema?.[side] && (() => jsonSchema[side]!({ target: TARGET, libraryOptions }));
}

function ownConversion(
  schema: StandardSchema,
  io: SchemaSide,
  lenient: Options,
): (() => unknown) | undefined {
  const own = schema as { readonly toJSONSchema?: unknown; readonly toJsonSchema?: unknown };
  const method = own.toJSONSchema ?? own.toJsonSchema;
  if (typeof method !== "function") return undefined;
  return () => method.call(schema, { target: TARGET, io, ...lenient });
}

function indescribable(reason: string): PlainRecord {
  return { description: `This schema cannot be described: ${reason}` };
}
