import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { Json, JsonResult } from "../../runtime/service/json.ts";
import type { Equal, Expect } from "./equality.ts";

/** The value after a round through JSON, with the type that is claimed for it. */
function throughJson<T>(value: T): Json<T> {
  return JSON.parse(JSON.stringify(value));
}

Deno.test("Json leaves plain data as it is", () => {
  type _1 = Expect<Equal<Json<null | boolean | number | "a">, null | boolean | number | "a">>;
  type _2 = Expect<Equal<Json<{ a: number; b: { c: string[] } }>, { a: number; b: { c: string[] } }>>;
  deepStrictEqual(throughJson({ a: 1, b: { c: ["x"] } }), { a: 1, b: { c: ["x"] } });
});

Deno.test("Json of what has toJSON is what that gives", () => {
  type _1 = Expect<Equal<Json<Date>, string>>;
  type _2 = Expect<Equal<Json<URL>, string>>;
  type _3 = Expect<Equal<Json<{ toJSON(): { at: Date } }>, { at: string }>>;
  const text: string = throughJson(new Date(0));
  strictEqual(text, "1970-01-01T00:00:00.000Z");
});

Deno.test("Json of a class instance has its fields and not its methods", () => {
  class Account {
    readonly id: number = 1;
    readonly opened = new Date(0);
    close(): void {}
  }
  type _ = Expect<Equal<Json<Account>, { readonly id: number; readonly opened: string }>>;
  deepStrictEqual(throughJson(new Account()), { id: 1, opened: "1970-01-01T00:00:00.000Z" });
});

Deno.test("Json of a field that may be undefined is a field that may be absent", () => {
  type Note = { text?: string; author: string | undefined; size: number };
  type _ = Expect<Equal<Json<Note>, { size: number; text?: string; author?: string }>>;
  const note: Note = { author: undefined, size: 2 };
  deepStrictEqual(throughJson(note), { size: 2 });
});

Deno.test("Json drops fields that are never JSON", () => {
  const mixed = { a: 1, f: () => 1, s: Symbol("s"), u: undefined };
  type _ = Expect<Equal<Json<typeof mixed>, { a: number }>>;
  deepStrictEqual(throughJson(mixed), { a: 1 });
});

Deno.test("Json of an array has null where an element is not JSON", () => {
  type _1 = Expect<Equal<Json<(number | undefined)[]>, (number | null)[]>>;
  type _2 = Expect<Equal<Json<[Date, undefined, () => void]>, [string, null, null]>>;
  type _3 = Expect<Equal<Json<readonly Date[]>, readonly string[]>>;
  deepStrictEqual(throughJson([1, undefined]), [1, null]);
});

Deno.test("Json of unknown is unknown and of any is any", () => {
  type _1 = Expect<Equal<Json<unknown>, unknown>>;
  // deno-lint-ignore no-explicit-any -- any is the subject
  type _2 = Expect<Equal<Json<any>, any>>;
  type _3 = Expect<Equal<Json<{ a: unknown }>, { a: unknown }>>;
  const value: unknown = throughJson<unknown>(1);
  strictEqual(value, 1);
});

Deno.test("Json of a bigint is never", () => {
  type _ = Expect<Equal<Json<bigint>, never>>;
  strictEqual(typeof 1n, "bigint");
});

Deno.test("Json of a Map or a Set is never, as they are refused", () => {
  type _1 = Expect<Equal<Json<Map<string, number>>, never>>;
  type _2 = Expect<Equal<Json<ReadonlySet<string>>, never>>;
  strictEqual(JSON.stringify(new Set([1])), "{}");
});

Deno.test("Json of bytes is an object of numbers", () => {
  type _ = Expect<Equal<Json<Uint8Array>, { readonly [index: string]: number }>>;
  const bytes: Json<Uint8Array> = throughJson(new Uint8Array([7]));
  deepStrictEqual(bytes, { 0: 7 });
});

Deno.test("Json of a type that holds itself holds its own Json", () => {
  interface Tree {
    readonly at: Date;
    readonly children: readonly Tree[];
  }
  type _ = Expect<Equal<Json<Tree>["children"][number]["children"][number]["at"], string>>;
  const tree: Json<Tree> = throughJson<Tree>({ at: new Date(0), children: [] });
  deepStrictEqual(tree.children, []);
});

Deno.test("JsonResult of a handler that returns nothing is null", () => {
  type _1 = Expect<Equal<JsonResult<void>, null>>;
  type _2 = Expect<Equal<JsonResult<undefined>, null>>;
  type _3 = Expect<Equal<JsonResult<Date | undefined>, string | null>>;
  type _4 = Expect<Equal<JsonResult<never>, never>>;
  strictEqual(JSON.stringify({ result: null }), '{"result":null}');
});
