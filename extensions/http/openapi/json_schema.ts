/** JSON Schema of whatever a Standard Schema is made with; it runs in the thread, where the schema is. */
import { isRecord, type PlainRecord } from "../../../runtime/message/plain.ts";
import type { StandardSchema } from "../../../runtime/service/standard_schema.ts";

/** The side of a schema that is described: what it takes, or what it gives. */
export type SchemaSide = "input" | "output";

type Options = Readonly<Record<string, unknown>>;

type Convert = (options: Options) => unknown;

const TARGET = "draft-2020-12";

/** By vendor: leave what JSON Schema cannot say open, in place of refusing all of the schema. */
const LENIENT: Readonly<Record<string, Options>> = {
  zod: { unrepresentable: "any" },
  valibot: { errorMode: "ignore" },
  arktype: { fallback: ({ base }: { readonly base: unknown }) => base },
};

/**
 * Describes a schema as JSON Schema, draft 2020-12.
 *
 * It asks the Standard JSON Schema interface, or else the method `toJSONSchema` or `toJsonSchema` that zod and
 * arktype have had before it. Never throws: a schema that cannot be described allows everything, and its
 * description says so.
 */
export function toJsonSchema(schema: StandardSchema, side: SchemaSide): PlainRecord {
  try {
    const { vendor } = schema["~standard"];
    const lenient = LENIENT[vendor] ?? {};
    const convert = standardConversion(schema, side, lenient) ?? ownConversion(schema, side, lenient);
    if (convert === undefined) return indescribable(`${vendor} does not offer it as JSON Schema`);
    // What is no JSON, such as a function, could not leave the thread.
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
