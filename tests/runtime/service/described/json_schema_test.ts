import { type } from "npm:arktype@2.2.9";
import { toStandardJsonSchema } from "npm:@valibot/to-json-schema@1.8.0";
import * as valibot from "npm:valibot@1.5.0";
import assert from "node:assert/strict";
import { z } from "zod";
import { toJsonSchema } from "../../../../runtime/service/described/json_schema.ts";
import type { StandardSchema } from "../../../../runtime/service/standard_schema.ts";

const DIALECT = "https://json-schema.org/draft/2020-12/schema";

/** A schema of a library that nobody knows. */
function schemaOf(jsonSchema?: Readonly<Record<string, unknown>>, own: object = {}): StandardSchema {
  const standard = { version: 1 as const, vendor: "acme", validate: (value: unknown) => ({ value }) };
  return { "~standard": { ...standard, ...(jsonSchema && { jsonSchema }) }, ...own };
}

for (
  const [vendor, schema] of [
    ["zod", z.object({ sku: z.string(), at: z.date() })],
    ["arktype", type({ sku: "string", at: "Date" })],
    ["valibot", toStandardJsonSchema(valibot.object({ sku: valibot.string(), at: valibot.date() }))],
  ] as const
) {
  Deno.test(`toJsonSchema() describes a schema of ${vendor}, and leaves open what JSON Schema cannot say`, () => {
    const { type, properties, required, $schema } = toJsonSchema(schema, "input");
    assert.equal($schema, DIALECT);
    assert.equal(type, "object");
    assert.deepEqual(properties, { at: {}, sku: { type: "string" } });
    assert.deepEqual(new Set(required as string[]), new Set(["sku", "at"]));
  });
}

Deno.test("toJsonSchema() tells what goes in from what comes out", () => {
  const schema = z.object({ page: z.number().default(1) });
  assert.equal(toJsonSchema(schema, "input")["required"], undefined);
  assert.deepEqual(toJsonSchema(schema, "output")["required"], ["page"]);
});

Deno.test("toJsonSchema() asks for draft 2020-12", () => {
  const asked: unknown[] = [];
  const input = (options: { readonly target: string }) => {
    asked.push(options.target);
    return {};
  };
  toJsonSchema(schemaOf({ input }), "input");
  assert.deepEqual(asked, ["draft-2020-12"]);
});

for (const method of ["toJSONSchema", "toJsonSchema"]) {
  Deno.test(`toJsonSchema() asks the method ${method} where the standard one is absent`, () => {
    const schema = schemaOf(undefined, {
      word: "own",
      [method](this: { readonly word: string }, { io }: { readonly io: string }) {
        return { title: `${this.word} ${io}` };
      },
    });
    assert.deepEqual(toJsonSchema(schema, "output"), { title: "own output" });
  });
}

Deno.test("toJsonSchema() allows everything where a library has no JSON Schema, and says so", () => {
  assert.deepEqual(toJsonSchema(valibot.object({ sku: valibot.string() }), "input"), {
    description: "This schema cannot be described: valibot does not offer it as JSON Schema",
  });
});

for (
  const [what, given, reason] of [
    ["throws", () => {
      throw new Error("too hard");
    }, /: too hard$/],
    ["throws no error", () => {
      throw "a fit";
    }, /: a fit$/],
    ["gives a list", () => [], /: acme gave no object$/],
    ["gives what is no JSON", () => ({ maximum: 1n }), /BigInt/],
    ["gives nothing", () => undefined, /cannot be described/],
  ] as const
) {
  Deno.test(`toJsonSchema() survives a library that ${what}`, () => {
    const described = toJsonSchema(schemaOf({ input: given }), "input");
    assert.deepEqual(Object.keys(described), ["description"]);
    assert.match(String(described["description"]), reason);
  });
}

Deno.test("toJsonSchema() gives plain data, whatever the library gives", () => {
  const described = toJsonSchema(schemaOf({ input: () => ({ type: "string", check: () => true }) }), "input");
  assert.deepEqual(structuredClone(described), { type: "string" });
});
