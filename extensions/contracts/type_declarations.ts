/**
 * Makes types of TypeScript from JSON Schema, by the library `json-schema-to-typescript`.
 *
 * The schemas may come from another process, and the types become source code. So only keywords that say something
 * about types reach the library. Among those that do not are `tsType`, which is source code itself, and references to
 * files and URLs, which the library would read.
 */
import { isRecord, type Plain, type PlainRecord } from "../../runtime/message/plain.ts";

/** Where the schemas stand that others refer to. */
export const SCHEMA_PLACE = "#/$defs/";

/** A type, as the library has made it. */
export interface MadeType {
  /** The comment above it; empty if there is none. */
  readonly comment: string;
  /** What an alias stands for; undefined for an interface. */
  readonly alias: string | undefined;
  /** The whole declaration, without the comment. */
  readonly text: string;
}

/** Keywords with values of their own that types depend on. */
const VALUES: ReadonlySet<string> = new Set([
  "type",
  "enum",
  "const",
  "required",
  "description",
  "deprecated",
]);

/** Keywords with one schema, or with a list of schemas. */
const SCHEMAS: ReadonlySet<string> = new Set(["anyOf", "oneOf", "allOf", "additionalProperties"]);

/** Keywords with schemas by name. */
const SCHEMAS_BY_NAME: ReadonlySet<string> = new Set(["properties", "patternProperties"]);

/**
 * Makes a declaration for each schema, in an order that depends on the schemas alone.
 *
 * @param schemas Schemas by the names of their types, which begin with a capital letter and have no other sign than
 * letters and digits. References among them begin with {@linkcode SCHEMA_PLACE}.
 */
export async function declareTypes(schemas: PlainRecord): Promise<ReadonlyMap<string, MadeType>> {
  const names = Object.keys(schemas);
  if (names.length === 0) return new Map();
  const { compile } = await import("npm:json-schema-to-typescript@16.0.0");
  const known = new Set(names);
  const root = {
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, { $ref: SCHEMA_PLACE + name }])),
    $defs: Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [name, typed(schema, known) as object]),
    ),
  } as const;
  const text = await compile(root as unknown as Parameters<typeof compile>[0], ROOT, {
    bannerComment: "",
    additionalProperties: false,
    $refOptions: { resolve: { external: false } },
  });
  const made = new Map<string, MadeType>();
  for (const [, comment = "", declaration = "", name = "", alias] of text.matchAll(DECLARATION)) {
    if (name !== ROOT) made.set(name, { comment, alias, text: declaration });
  }
  return made;
}

const ROOT = "EnokiSchemas";

/** A declaration at the top of the text, with the comment above it. What is inside of one is indented. */
const DECLARATION =
  /^(\/\*\*\n(?: \*.*\n)* \*\/\n)?(export (?:interface|type) (\w+)(?: = ([\s\S]*?);)?[\s\S]*?)(?=\n+(?:\/\*\*|export )|\n*$(?![\s\S]))/gm;

/** Leaves what types depend on. A tuple becomes what it was in older drafts, which the library knows. */
function typed(schema: Plain | undefined, known: ReadonlySet<string>): Plain {
  if (!isRecord(schema)) return {};
  const { $ref, items, prefixItems, ...others } = schema as PlainRecord;
  if (typeof $ref === "string") {
    return $ref.startsWith(SCHEMA_PLACE) && known.has($ref.slice(SCHEMA_PLACE.length)) ? { $ref } : {};
  }
  const kept: Record<string, Plain> = {};
  for (const [key, value] of Object.entries(others)) {
    if (VALUES.has(key)) kept[key] = value;
    else if (SCHEMAS.has(key)) {
      kept[key] = Array.isArray(value)
        ? value.map((each) => typed(each, known))
        : typeof value === "boolean"
        ? value
        : typed(value, known);
    } else if (SCHEMAS_BY_NAME.has(key) && isRecord(value)) {
      kept[key] = Object.fromEntries(
        Object.entries(value).map(([name, each]) => [name, typed(each as Plain, known)]),
      );
    }
  }
  if (Array.isArray(prefixItems)) {
    kept["items"] = prefixItems.map((each) => typed(each, known));
    kept["minItems"] = prefixItems.length;
    if (isRecord(items)) kept["additionalItems"] = typed(items as Plain, known);
    else if (items === false) kept["additionalItems"] = false;
    return kept;
  }
  return items === undefined ? kept : { ...kept, items: typed(items, known) };
}
