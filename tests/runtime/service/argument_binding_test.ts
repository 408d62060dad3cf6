import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { bindArguments, bindKeywordObject } from "../../../runtime/service/argument_binding.ts";
import type { Parameter } from "../../../runtime/service/declared/parameters.ts";

/** `a b? ...c`: names, `?` with a default, `...` the rest, `-` destructured. */
function parametersOf(short: string): Parameter[] {
  return short.split(" ").filter(Boolean).map((word) => {
    const rest = word.startsWith("...");
    const name = word.replace(/^\.\.\.|\?$/g, "");
    return { name: name === "-" ? undefined : name, optional: rest || word.endsWith("?"), rest };
  });
}

const FITS: readonly (readonly [string, unknown[], Record<string, unknown>, unknown[]])[] = [
  ["", [], {}, []],
  ["a b?", [1], {}, [1]],
  ["a b?", [], { a: 1 }, [1]],
  ["a b?", [1], { b: 2 }, [1, 2]],
  ["a b? c?", [1], { c: 3 }, [1, undefined, 3]],
  ["a b", [], { b: 2, a: 1 }, [1, 2]],
  ["a ...c", [1, 2, 3], {}, [1, 2, 3]],
  ["a ...c", [], { a: 1 }, [1]],
  ["- b", [{}], { b: 2 }, [{}, 2]],
];

/** The texts are those of Python 3.11's `inspect.getcallargs(add, None, *args, **kwargs)`. */
const REFUSED: readonly (readonly [string, unknown[], Record<string, unknown>, string])[] = [
  ["", [1], {}, "add() takes 1 positional argument but 2 were given"],
  ["a", [1, 2, 3], {}, "add() takes 2 positional arguments but 4 were given"],
  ["a b?", [1, 2, 3], {}, "add() takes from 2 to 3 positional arguments but 4 were given"],
  ["a", [], {}, "add() missing 1 required positional argument: 'a'"],
  ["a b", [], {}, "add() missing 2 required positional arguments: 'a' and 'b'"],
  ["a b c", [], {}, "add() missing 3 required positional arguments: 'a', 'b' and 'c'"],
  ["a b c d", [], { b: 1 }, "add() missing 3 required positional arguments: 'a', 'c' and 'd'"],
  ["a b", [1], {}, "add() missing 1 required positional argument: 'b'"],
  ["a", [1], { zz: 1 }, "add() got an unexpected keyword argument 'zz'"],
  ["a", [1], { "it's": 1 }, `add() got an unexpected keyword argument "it's"`],
  ["a b?", [1], { a: 1 }, "add() got multiple values for argument 'a'"],
  ["a", [1, 2], { zz: 1 }, "add() got an unexpected keyword argument 'zz'"],
];

Deno.test("bindArguments() arranges keyword arguments by position", () => {
  for (const [short, args, kwargs, expected] of FITS) {
    deepStrictEqual(bindArguments("add", parametersOf(short), args, kwargs), expected);
  }
});

Deno.test("bindArguments() refuses what does not fit, in Python's words", () => {
  for (const [short, args, kwargs, message] of REFUSED) {
    throws(() => bindArguments("add", parametersOf(short), args, kwargs), {
      name: "BadRequestError",
      reason: "IncorrectSignature",
      message,
    });
  }
});

Deno.test("bindArguments() returns the very arguments when there are no keyword ones", () => {
  const args = [1, 2];
  strictEqual(bindArguments("add", parametersOf("a b?"), args, {}), args);
});

Deno.test("bindArguments() cannot give a rest parameter by name", () => {
  throws(() => bindArguments("add", parametersOf("...a"), [], { a: 1 }), /unexpected keyword argument 'a'/);
});

Deno.test("bindArguments() takes no inherited name for a parameter", () => {
  throws(() => bindArguments("add", parametersOf("toString b"), [], { b: 1 }), /missing 1 .*'toString'/);
});

Deno.test("bindArguments() passes anything by position when the parameters are unknown", () => {
  deepStrictEqual(bindArguments("add", undefined, [1, 2, 3]), [1, 2, 3]);
  throws(
    () => bindArguments("add", undefined, [], { a: 1 }),
    /^BadRequestError: add\(\) takes no keyword arguments/,
  );
});

const KEYWORDS: readonly Parameter[] = [
  { name: "a", optional: false, rest: false },
  {
    name: undefined,
    optional: false,
    rest: false,
    keywords: [{ name: "limit", optional: false }, { name: "page", optional: true }],
  },
];

Deno.test("bindKeywordObject() gives the last parameter the keyword arguments that no other one has", () => {
  const fits: readonly (readonly [unknown[], Record<string, unknown>, unknown[]])[] = [
    [[1], { limit: 2 }, [1, { limit: 2 }]],
    [[], { a: 1, page: 3, limit: 2 }, [1, { page: 3, limit: 2 }]],
    // A caller of JavaScript has no keyword arguments.
    [[1, { limit: 2, page: 3 }], {}, [1, { limit: 2, page: 3 }]],
  ];
  for (const [args, kwargs, expected] of fits) {
    deepStrictEqual(bindKeywordObject("add", KEYWORDS, args, kwargs), expected);
  }
  const open = [{ name: "a", optional: true, rest: false }, { name: "rest", optional: false, rest: false }];
  deepStrictEqual(bindKeywordObject("add", open, [], { any: 1 }), [undefined, { any: 1 }]);
  deepStrictEqual(bindKeywordObject("add", open, [], {}), [undefined, {}]);
});

/** The texts are those of Python's `inspect.getcallargs` for `def add(self, a, *, limit, page=None)`. */
Deno.test("bindKeywordObject() refuses what does not fit, in Python's words", () => {
  const refused: readonly (readonly [unknown[], Record<string, unknown>, string])[] = [
    [[1], {}, "add() missing 1 required keyword-only argument: 'limit'"],
    [[1], { limit: 1, zz: 2 }, "add() got an unexpected keyword argument 'zz'"],
    [[], { limit: 1 }, "add() missing 1 required positional argument: 'a'"],
    [[1, 2, 3], { limit: 1 }, "add() takes 2 positional arguments but 4 were given"],
    [[1, 2], { limit: 1 }, "add() takes 2 positional arguments but 3 were given"],
    [[1], { a: 2, limit: 1 }, "add() got multiple values for argument 'a'"],
    [[1, { zz: 2 }], {}, "add() got an unexpected keyword argument 'zz'"],
  ];
  for (const [args, kwargs, message] of refused) {
    throws(() => bindKeywordObject("add", KEYWORDS, args, kwargs), {
      name: "BadRequestError",
      reason: "IncorrectSignature",
      message,
    });
  }
});
