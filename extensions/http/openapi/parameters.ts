/** Describes the variables of a rule, and the fields of schemas, as OpenAPI's parameters. */
import { isRecord, type Plain, type PlainRecord } from "../../../runtime/message/plain.ts";
import type { Components } from "../../../runtime/service/described/components.ts";
import type { Rule, RulePart } from "../routing/rule.ts";

/** Returns the variables of a rule, in the order of the rule. */
export function variablesOf({ segments }: Rule): readonly Exclude<RulePart, string>[] {
  return segments.flat().filter((part) => typeof part !== "string");
}

/**
 * Returns one parameter for each variable. A value has to suit the rule first, and then the schema.
 *
 * @param names Names that the variables have in the document.
 */
export function pathParameters(
  rule: Rule,
  names: readonly string[],
  schema: PlainRecord | undefined,
  components: Components,
): readonly PlainRecord[] {
  const { properties } = fieldsOf(schema, components) ?? {};
  return variablesOf(rule).map(({ name, converter }, index) => {
    const own = properties?.[name];
    return parameter(
      "path",
      names[index]!,
      own === undefined ? converter.schema : both(converter.schema, own),
    );
  });
}

function both(first: PlainRecord, second: Plain): PlainRecord {
  if (!isRecord(second)) return first;
  const isClear = Object.entries(first).every(([key, value]) => (second[key] ?? value) === value);
  return isClear ? { ...first, ...second } : { allOf: [first, second] };
}

/** Returns one parameter for each property, or one for all properties if their names are not known. */
export function queryParameters(
  schema: PlainRecord | undefined,
  components: Components,
): readonly PlainRecord[] {
  if (schema === undefined) return [];
  const fields = fieldsOf(schema, components);
  if (fields === undefined) return [{ ...parameter("query", "query", schema), style: "form", explode: true }];
  const { properties, required } = fields;
  return Object.entries(properties).map(([name, each]) =>
    parameter("query", name, isRecord(each) ? each : {}, required.includes(name))
  );
}

function parameter(
  place: "path" | "query",
  name: string,
  schema: PlainRecord,
  required: boolean = place === "path",
): PlainRecord {
  const { description } = schema;
  return {
    name,
    in: place,
    ...(required && { required }),
    ...(typeof description === "string" && { description }),
    schema,
  };
}

interface Fields {
  readonly properties: PlainRecord;
  readonly required: readonly Plain[];
}

function fieldsOf(schema: PlainRecord | undefined, components: Components): Fields | undefined {
  const { properties, required } = schema === undefined ? {} : components.resolve(schema);
  if (!isRecord(properties)) return undefined;
  return { properties, required: Array.isArray(required) ? required : [] };
}
