import assert from "node:assert/strict";
import { Components } from "../../../../runtime/service/described/components.ts";

Deno.test("Components.adopt() moves definitions to the document, and references with them", () => {
  const components = new Components();
  const adopted = components.adopt({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    properties: { sku: { $ref: "#/$defs/Sku" }, parts: { items: { $ref: "#/$defs/Sku/properties/a~1b" } } },
    $defs: { Sku: { type: "string" } },
  }, "orders.place.body");
  assert.deepEqual(adopted, {
    properties: {
      sku: { $ref: "#/components/schemas/Sku" },
      parts: { items: { $ref: "#/components/schemas/Sku/properties/a~1b" } },
    },
  });
  assert.deepEqual(components.schemas, { Sku: { type: "string" } });
});

Deno.test("Components.adopt() gives a schema that refers to itself a name", () => {
  const components = new Components();
  const tree = { type: "object", properties: { kids: { items: { $ref: "#" } } } };
  assert.deepEqual(components.adopt(tree, "files.tree.body"), {
    $ref: "#/components/schemas/files.tree.body",
  });
  assert.deepEqual(components.schemas, {
    "files.tree.body": {
      type: "object",
      properties: { kids: { items: { $ref: "#/components/schemas/files.tree.body" } } },
    },
  });
});

Deno.test("Components.adopt() makes equal definitions of one name one component", () => {
  const components = new Components();
  const schema = { $ref: "#/$defs/Sku", $defs: { Sku: { type: "string" } } };
  assert.deepEqual(components.adopt(schema, "a"), components.adopt(schema, "b"));
  assert.deepEqual(Object.keys(components.schemas), ["Sku"]);
});

Deno.test("Components.adopt() keeps definitions of one name apart that differ, even in what they refer to", () => {
  const components = new Components();
  const schema = (type: string) => ({
    $ref: "#/$defs/Order",
    $defs: { Order: { items: { $ref: "#/$defs/Sku" } }, Sku: { type } },
  });
  assert.deepEqual(components.adopt(schema("string"), "a"), { $ref: "#/components/schemas/Order" });
  assert.deepEqual(components.adopt(schema("number"), "b"), { $ref: "#/components/schemas/b.Order" });
  assert.deepEqual(components.schemas, {
    Order: { items: { $ref: "#/components/schemas/Sku" } },
    Sku: { type: "string" },
    "b.Order": { items: { $ref: "#/components/schemas/b.Sku" } },
    "b.Sku": { type: "number" },
  });
});

Deno.test("Components.adopt() puts the owner before names that a library has made up, and signs in order", () => {
  const components = new Components();
  components.adopt({ $ref: "#/$defs/__schema0", $defs: { __schema0: {} } }, "a");
  components.adopt({ $ref: "#/$defs/My%20Sku", $defs: { "My Sku": {} } }, "a");
  assert.deepEqual(Object.keys(components.schemas), ["a.__schema0", "My_Sku"]);
});

Deno.test("Components.adopt() leaves data alone that looks like a reference", () => {
  const components = new Components();
  const schema = {
    const: { $ref: "#" },
    default: { $ref: "#/$defs/a" },
    enum: [{ $ref: "#" }],
    properties: { $ref: { type: "string" }, default: { type: "number" } },
  };
  assert.deepEqual(components.adopt(schema, "a"), schema);
});

Deno.test("Components.adopt() follows references of properties that have the names of keywords", () => {
  const components = new Components();
  const adopted = components.adopt(
    { properties: { default: { $ref: "#/$defs/A" } }, $defs: { A: {} } },
    "a",
  );
  assert.deepEqual(adopted, { properties: { default: { $ref: "#/components/schemas/A" } } });
});
