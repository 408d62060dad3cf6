import assert from "node:assert/strict";
import { contractModule, type DescribedService } from "../../../extensions/contracts/mod.ts";

/** Writes the contract of a service with one method, and gives what stands behind the imports. */
async function contractOf(details?: Readonly<Record<string, unknown>>): Promise<string> {
  const service = {
    name: "shop",
    entrypoints: [{ method: "place", kind: "rpc", ...(details && { details }) }],
  };
  return await bodyOf(service);
}

async function bodyOf(service: DescribedService): Promise<string> {
  const source = await contractModule(service);
  return source.slice(source.indexOf('from "@enoki/enoki";') + 'from "@enoki/enoki";\n\n'.length);
}

const named = (...names: readonly string[]) => names.map((name) => ({ name, optional: false, rest: false }));

/** What a method says of itself, and its line in the contract. */
const LINES: readonly (readonly [string, Readonly<Record<string, unknown>> | undefined, string])[] = [
  ["says nothing", undefined, "rpc<(...args: unknown[]) => Promise<unknown>>()"],
  [
    "takes all the rest",
    { parameters: [{ name: "all", optional: false, rest: true }] },
    "rpc<(...all: unknown[]) => Promise<unknown>>()",
  ],
  ["has no parameters", { parameters: [] }, "rpc<() => Promise<unknown>>()"],
  [
    "has parameters without schemas",
    { parameters: named("sku", "class") },
    "rpc<(sku: unknown, class_: unknown) => Promise<unknown>>()",
  ],
  [
    "has optional parameters, also before a required one",
    {
      parameters: [
        { name: "a", optional: true, rest: false },
        { name: "b", optional: false, rest: false },
        { name: "c", optional: true, rest: false },
      ],
      input: [{ type: "string" }],
    },
    "rpc<(a: string | undefined, b: unknown, c?: unknown) => Promise<unknown>>()",
  ],
  [
    "destructures",
    {
      parameters: [{
        optional: false,
        rest: false,
        keywords: [{ name: "limit", optional: false }, { name: "a-b", optional: true }],
      }],
    },
    'rpc<(options: { limit: unknown; "a-b"?: unknown }) => Promise<unknown>>()',
  ],
  [
    "has schemas without names of parameters",
    { input: [{ type: "integer" }, { type: ["string", "null"] }], output: { type: "boolean" } },
    "rpc<(argument1: number, argument2: string | null) => Promise<boolean>>()",
  ],
  [
    "has a tuple, and one that goes on",
    {
      parameters: named("pair", "list"),
      input: [
        { type: "array", prefixItems: [{ type: "string" }, { type: "number" }], items: false },
        { type: "array", prefixItems: [{ const: "a" }], items: { type: "number" } },
      ],
    },
    'rpc<(pair: [string, number], list: ["a", ...number[]]) => Promise<unknown>>()',
  ],
];

for (const [state, details, line] of LINES) {
  Deno.test(`contractModule() types a method that ${state}`, async () => {
    const body = await contractOf(details);
    assert.ok(body.includes(`  place: ${line},\n`), body);
  });
}

Deno.test("contractModule() declares one type for what is the same, and others under other names", async () => {
  const order = { id: "Order", type: "object", properties: { sku: { type: "string" } }, required: ["sku"] };
  const other = { ...order, properties: { sku: { type: "number" } } };
  const method = (method: string, input: object) => ({
    method,
    kind: "rpc",
    details: {
      parameters: named("order"),
      input: [input],
      output: { type: "array", items: { $ref: "#/$defs/Order" }, $defs: { Order: order } },
    },
  });
  const body = await bodyOf({
    name: "shop",
    entrypoints: [method("a", order), method("b", order), method("c", other)],
  });
  assert.deepEqual([...body.matchAll(/^export interface (\w+)/gm)].map(([, name]) => name).sort(), [
    "Order",
    "OrderV2",
    "OrderV3",
  ]);
  assert.match(body, / a: rpc<\(order: OrderV2\) => Promise<Order\[\]>>\(\),\n +b: rpc<\(order: OrderV2\)/);
});

Deno.test("contractModule() lets schemas refer to themselves", async () => {
  const body = await contractOf({
    output: { type: "object", properties: { within: { type: "array", items: { $ref: "#" } } } },
  });
  assert.match(body, /^export interface PlaceResult \{\n +within\?: PlaceResult\[\];\n\}$/m);
});

Deno.test("contractModule() names values and types so that the module compiles", async () => {
  const service = (name: string) => ({ name, entrypoints: [{ method: "a-b", kind: "rpc" }] });
  assert.match(
    await bodyOf(service("my-shop_2")),
    /^export const myShop2 = contract\("my-shop_2", \{\n +"a-b": rpc/m,
  );
  assert.match(await bodyOf(service("rpc")), /^export const rpc_ = contract\("rpc", /m);
  assert.match(await bodyOf(service("7up")), /^export const _7up = contract/m);
  assert.match(
    await contractOf({ output: { id: "Promise", type: "object", properties: { a: {} } } }),
    /^export interface PromiseV2/m,
  );
});

Deno.test("contractModule() takes nothing for source that a process says of itself", async () => {
  const evil = "*/ throw 1; /*";
  const body = await bodyOf({
    name: 'a"b`',
    entrypoints: [{
      method: '"]: throw, [""',
      kind: "rpc",
      details: {
        description: evil,
        parameters: [{ name: "a: any) => throw, (b", optional: false, rest: false }],
        input: [{ type: "string", tsType: "throw", description: evil }],
        output: { type: "object", properties: { [evil]: { enum: ['"; throw'], description: evil } } },
        expected: [evil],
      },
    }],
  });
  const code = body.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\/\*[^]*?\*\//g, "");
  assert.doesNotMatch(code, /\bthrow\b/);
  assert.match(body, / "\\"\]: throw, \[\\"\\"": rpc<\(argument1: string\) => Promise<\w+>>\(\),\n/);
  assert.match(body, /contract\("a\\"b`", /);
});

Deno.test("contractModule() reads no file and no URL that a schema refers to", async () => {
  for (
    const $ref of ["file:///etc/passwd", "https://127.0.0.1:1/schema.json", "other.json#/a", "#/nowhere"]
  ) {
    const body = await contractOf({ output: { type: "array", items: { $ref } } });
    assert.match(body, /Promise<unknown\[\]>|^export type PlaceResult = unknown\[\];$/m);
  }
});

Deno.test("contractModule() has the events that a service says it dispatches, and no others", async () => {
  const source = await contractModule({
    name: "shop",
    entrypoints: [],
    dependencies: [
      { key: "emit", kind: "dispatcher", details: { events: { paid: { type: "number" }, "a.b": {} } } },
      { key: "unsaid", kind: "dispatcher" },
      { key: "other", kind: "publisher" },
    ],
  });
  assert.match(source, /^import \{ contract, dispatcher \} from/m);
  assert.match(
    source,
    /contract\("shop", \{\}, \{\n +emit: dispatcher<\{\n +paid: number;\n +"a\.b": unknown;\n +\}>\(\),\n\}\);/,
  );
});

Deno.test("contractModule() refuses a service without a method", async () => {
  await assert.rejects(contractModule({ name: "a", entrypoints: [{ method: "tick", kind: "timer" }] }), {
    name: "TypeError",
    message: 'Cannot write the contract of "a": it has no method that could be called',
  });
});
