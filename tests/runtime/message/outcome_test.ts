import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { BadRequestError, CallError } from "../../../runtime/message/errors.ts";
import { describeFailure, LONGEST_NAME } from "../../../runtime/message/failure.ts";
import { failed } from "../../../runtime/message/outcome.ts";

class SoldOut extends Error {}
class TinyTypeError extends TypeError {}
class OwnCallError extends CallError {}
class Renamed extends Error {
  override readonly name = "Chosen";
}
class Prototyped extends Error {
  static {
    this.prototype.name = "OnPrototype";
  }
}

const THROWN: readonly (readonly [thrown: unknown, name: string, message: string])[] = [
  [null, "Error", "null"],
  [undefined, "Error", "undefined"],
  ["boom", "Error", "boom"],
  [42, "Error", "42"],
  [Symbol("s"), "Error", "Symbol(s)"],
  [new Error("boom"), "Error", "boom"],
  [new TypeError("boom"), "TypeError", "boom"],
  [new SoldOut("gone"), "SoldOut", "gone"],
  [new TinyTypeError("odd"), "TinyTypeError", "odd"],
  [new OwnCallError("no", { code: "NO" }), "OwnCallError", "no"],
  [new Renamed("r"), "Chosen", "r"],
  [new Prototyped("p"), "OnPrototype", "p"],
  [new DOMException("stopped", "AbortError"), "AbortError", "stopped"],
  [new BadRequestError("bad"), "BadRequestError", "bad"],
  [new (class extends Error {})("nameless"), "Error", "nameless"],
  [Object.freeze(new SoldOut("frozen")), "SoldOut", "frozen"],
  [{ name: "Plain", message: "object" }, "Plain", "object"],
  [{ message: 5 }, "Object", "[object Object]"],
];

const UNREADABLE: readonly unknown[] = [
  Object.create(null),
  {
    get message() {
      throw new Error("trap");
    },
  },
  {
    toString() {
      throw new Error("trap");
    },
  },
  Proxy.revocable({}, {}).proxy,
];

Deno.test("describeFailure() names whatever was thrown and says what it says", () => {
  for (const [thrown, name, message] of THROWN) {
    const failure = describeFailure(thrown);
    deepStrictEqual([failure.name, failure.message], [name, message]);
  }
});

Deno.test("describeFailure() survives values whose own code throws", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const thrown of [...UNREADABLE, proxy]) {
    strictEqual(typeof describeFailure(thrown).message, "string");
  }
});

Deno.test("describeFailure() keeps code, data and whether to retry", () => {
  const error = Object.assign(new Error("m"), { code: "SOLD_OUT", data: { left: 0 }, retryable: true });
  deepStrictEqual(describeFailure(error), {
    name: "Error",
    message: "m",
    code: "SOLD_OUT",
    data: { left: 0 },
    retryable: true,
  });
});

Deno.test("describeFailure() does not trust the types of what it finds", () => {
  const error = Object.assign(new Error("m"), { code: 5, retryable: "yes" });
  deepStrictEqual(describeFailure(error), { name: "Error", message: "m", code: "ERROR", retryable: false });
});

Deno.test("describeFailure() leaves out data that JSON cannot carry", () => {
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  for (const data of [1n, cycle, () => {}, undefined, Symbol("s")]) {
    strictEqual("data" in describeFailure(Object.assign(new Error("m"), { data })), false);
  }
});

Deno.test("describeFailure() gives plain data that shares nothing with the error", () => {
  const data = { at: new Date(0), list: [1] };
  const failure = describeFailure(Object.assign(new Error("m"), { data }));
  deepStrictEqual(failure.data, { at: "1970-01-01T00:00:00.000Z", list: [1] });
  data.list.push(2);
  deepStrictEqual(structuredClone(failure), failure);
  deepStrictEqual(failure.data, { at: "1970-01-01T00:00:00.000Z", list: [1] });
});

Deno.test("failed() makes a failed outcome, unexpected unless said otherwise", () => {
  const failure = describeFailure("boom");
  deepStrictEqual(failed(failure), { status: "failed", failure, expected: false });
  deepStrictEqual(failed(failure, true), { status: "failed", failure, expected: true });
});

Deno.test("describeFailure() keeps as much of a name as the main thread takes", () => {
  const { name } = describeFailure(Object.assign(new Error("m"), { name: "E".repeat(1_000) }));
  strictEqual(name, "E".repeat(LONGEST_NAME));
});
