import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import {
  type AnyFunction,
  parametersOf,
  readParameters,
} from "../../../runtime/service/declared/parameters.ts";
import type {
  DeclaredFunction,
  OptionalParameters,
} from "../../../runtime/service/declared/optional_parameters.ts";

/** Parameters in short: `name`, `name?` with a default, `...name`, `-` destructured; or undefined. */
async function shortOf(handler: AnyFunction): Promise<string | undefined> {
  const parameters = parametersOf(handler, await readParameters({ handler }));
  return parameters?.map((
    { name = "-", optional, rest },
  ) => (rest ? `...${name}` : optional ? `${name}?` : name))
    .join(" ");
}

const NAME = "computed name";
class Base {
  greet(_ctx: unknown, who: string): string {
    return who;
  }
}
class Handlers extends Base {
  #greeting = "hi";
  override greet(_ctx: unknown, first: string, second = `${this.#greeting}, (`): string {
    return super.greet(_ctx, first + second);
  }
  static make(_ctx: unknown, a: number): number {
    return a;
  }
  arrow = (_ctx: unknown, a: string): string => super.greet(_ctx, a);
}
const literal = {
  async place(_ctx: unknown, order: unknown) {
    return await order;
  },
  *generate(_ctx: unknown, a: number) {
    yield a;
  },
  async *stream(_ctx: unknown, a: number) {
    yield await a;
  },
  [NAME](_ctx: unknown, a: number) {
    return a;
  },
  "quoted name"(_ctx: unknown, a: number) {
    return a;
  },
  get made() {
    return (_ctx: unknown, a: number) => a;
  },
  async(_ctx: unknown, a: number) {
    return a;
  },
  constructor(_ctx: unknown, a: number) {
    return a;
  },
};

const CASES: readonly (readonly [string, AnyFunction, string | undefined])[] = [
  ["arrow", (_ctx: unknown, a: number, b: number) => a + b, "a b"],
  ["arrow with one bare parameter", new Function("return ctx => ctx")() as AnyFunction, ""],
  ["async arrow", async (_ctx: unknown, a: number) => await a, "a"],
  ["no parameter at all", () => 0, ""],
  ["function", function named(_ctx: unknown, a: number) {
    return a;
  }, "a"],
  ["rest", (_ctx: unknown, a: number, ...more: number[]) => [a, more], "a ...more"],
  ["rest only", (...all: unknown[]) => all, "...all"],
  ["destructured", (_ctx: unknown, { a }: { a: number }, [b]: number[] = [1]) => [a, b], "- -?"],
  [
    "defaults with commas, braces and functions",
    (
      _ctx: unknown,
      a: unknown = (x: number, y: number) => [x, y],
      b = "),(", /* , c */
      c = { d: 1, e: [1, 2] },
    ) => [a, b, c],
    "a? b? c?",
  ],
  ["async method", literal.place, "order"],
  ["generator", literal.generate, "a"],
  ["async generator", literal.stream, "a"],
  ["computed name", literal[NAME], "a"],
  ["quoted name", literal["quoted name"], "a"],
  ["value of a getter", literal.made, "a"],
  ["method called async", literal.async, "a"],
  ["method called constructor", literal.constructor, "a"],
  ["class method with private field and super", Handlers.prototype.greet, "first second?"],
  ["static method", Handlers.make, "a"],
  ["arrow in a class field", new Handlers().arrow, "a"],
  ["getter", Object.getOwnPropertyDescriptor(literal, "made")!.get as AnyFunction, ""],
  ["native", Math.max, undefined],
  ["bound", literal.place.bind(null), undefined],
  ["class", Handlers as unknown as AnyFunction, undefined],
];

Deno.test("readParameters() reads what follows the context", async (t) => {
  for (const [name, handler, expected] of CASES) {
    await t.step(name, async () => deepStrictEqual(await shortOf(handler), expected));
  }
});

Deno.test("readParameters() takes what another thread has read of the same source, and reads what is new", async () => {
  const { place, made } = { place: (_ctx: unknown, order: unknown) => order, made: (_ctx: unknown) => 1 };
  const [read] = Object.keys(await readParameters({ place }));
  const known = { [read!]: [{ name: "known", optional: false, rest: false }] };
  strictEqual(await readParameters({ place }, { known }), known);
  deepStrictEqual(parametersOf(made, await readParameters({ place, made }, { known })), []);
});

/** What the source of a module with handlers `place` and `cancel` may say. */
function declaring(...functions: readonly DeclaredFunction[]): () => Promise<OptionalParameters> {
  return () => Promise.resolve({ functions, unread: [] });
}

const HANDLERS = {
  place: (_ctx: unknown, order: unknown, note: unknown) => [order, note],
  cancel: (_ctx: unknown, order: unknown, note: unknown) => [order, note],
};

Deno.test("readParameters() tells handlers of the same text apart by their names", async () => {
  const known = await readParameters(HANDLERS, {
    optional: declaring({ name: "place", shape: "(_ctx,order,note)", optional: [2] }),
  });
  deepStrictEqual(parametersOf(HANDLERS.place, known)?.map(({ optional }) => optional), [false, true]);
  deepStrictEqual(parametersOf(HANDLERS.cancel, known)?.map(({ optional }) => optional), [false, false]);
});

Deno.test("readParameters() asks for optional parameters with the names that matter, and only if there are any", async () => {
  const asked: string[][] = [];
  const optional = (names: ReadonlySet<string>) => {
    asked.push([...names]);
    return Promise.resolve({ functions: [], unread: [] });
  };
  await readParameters({ all: (_ctx: unknown, a = 1, ...b: unknown[]) => [a, b], none: () => 1 }, {
    optional,
  });
  deepStrictEqual(asked, []);
  await readParameters(HANDLERS, { optional });
  await readParameters({ place: (_ctx: unknown, a: unknown, b: unknown, c = 1) => [a, b, c] }, { optional });
  deepStrictEqual(asked, [["note"], ["b"]]);
});

Deno.test("readParameters() takes a doubtful parameter for required, and says so", async () => {
  const warnings: string[] = [];
  const known = await readParameters(HANDLERS, {
    optional: declaring(
      { name: "place", shape: "(_ctx,order,note)", optional: [2] },
      { name: "place", shape: "(_ctx,order,note)", optional: [] },
    ),
    warn: (message) => warnings.push(message),
  });
  deepStrictEqual(parametersOf(HANDLERS.place, known)?.map(({ optional }) => optional), [false, false]);
  strictEqual(warnings.length, 1);
  match(warnings[0]!, /^Cannot tell whether "note" of "place" may be left out, .* default undefined/);
});

Deno.test("readParameters() says which sources it cannot read", async () => {
  const warnings: string[] = [];
  await readParameters(HANDLERS, {
    optional: () => Promise.resolve({ functions: [], unread: ["a.ts: too deep"] }),
    warn: (message) => warnings.push(message),
  });
  match(warnings.join(), /^Cannot read which parameters are optional, .*: a\.ts: too deep$/);
});
