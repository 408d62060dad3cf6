import { match, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  callerOf,
  callIdOf,
  childOf,
  isTraceparent,
  nextSpan,
  spanIdOf,
  stateOf,
  traceIdOf,
  traceparentOf,
  traceparentOfSpan,
} from "../../../runtime/telemetry/trace.ts";

const GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

Deno.test("childOf() continues the trace and its flags, as a span of its own", () => {
  const child = childOf(GIVEN);
  ok(isTraceparent(child));
  strictEqual(traceIdOf(child), traceIdOf(GIVEN));
  notStrictEqual(spanIdOf(child), spanIdOf(GIVEN));
  strictEqual(child.slice(-2), "00");
});

Deno.test("childOf() begins a sampled trace where there is none", () => {
  const [one, other] = [childOf(undefined), childOf(undefined)];
  ok(isTraceparent(one) && isTraceparent(other));
  notStrictEqual(traceIdOf(one), traceIdOf(other));
  match(one, /-01$/);
});

Deno.test("childOf() repeats no id in many", () => {
  const ids = new Set(Array.from({ length: 10_000 }, () => spanIdOf(childOf(GIVEN))));
  strictEqual(ids.size, 10_000);
});

Deno.test("a later version of the format is continued as version 00", () => {
  const later = `cc${GIVEN.slice(2)}-what-the-future-brings`;
  ok(isTraceparent(later));
  match(childOf(later), /^00-0af7651916cd43dd8448eb211c80319c-[\da-f]{16}-00$/);
});

Deno.test("isTraceparent() refuses what the specification refuses", () => {
  for (
    const wrong of [
      undefined,
      7,
      "",
      `ff${GIVEN.slice(2)}`,
      GIVEN.toUpperCase(),
      `${GIVEN}-more`,
      `${GIVEN}0`,
      `cc${GIVEN.slice(2)}more`,
      `cc${GIVEN.slice(2)}-more\n`,
      GIVEN.slice(0, -1),
      GIVEN.replaceAll("-", "_"),
      GIVEN.replace("0a", "0g"),
      "00-00000000000000000000000000000000-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
      `cc${GIVEN.slice(2)}-${"x".repeat(1_000)}`,
    ]
  ) ok(!isTraceparent(wrong), String(wrong));
});

Deno.test("traceparentOf() reads the header that Python's OpenTelemetry for Nameko writes", () => {
  strictEqual(traceparentOf({ "nameko.traceparent": GIVEN }), GIVEN);
  strictEqual(traceparentOf({ "nameko.traceparent": "nonsense" }), undefined);
  strictEqual(traceparentOf(undefined), undefined);
});

Deno.test("callIdOf() gives a UUID that only this span has", () => {
  const id = callIdOf("orders", "place", GIVEN);
  match(id, /^orders\.place\.[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/);
  strictEqual(id, callIdOf("orders", "place", GIVEN));
  notStrictEqual(id, callIdOf("orders", "place", childOf(GIVEN)));
});

Deno.test("callerOf() finds the call behind the span that it has sent with, and no other", () => {
  const call = childOf(GIVEN);
  const sent = childOf(call);
  const caller = (state: unknown, parent = sent) => callerOf({ "nameko.tracestate": String(state) }, parent);
  strictEqual(caller(stateOf(call, sent, undefined)), call);
  strictEqual(caller(stateOf(call, sent, stateOf(childOf(GIVEN), childOf(GIVEN), "a=1, b=2"))), call);
  strictEqual(caller(`a=1, ${stateOf(call, sent, undefined)} ,b=2`), call);
  for (const other of ["", "enoki=", "xenoki=0-0", `enoki=${"0".repeat(16)}`, "enoki=x-y"]) {
    strictEqual(caller(other), undefined);
  }
  strictEqual(caller(stateOf(call, sent, undefined), childOf(call)), undefined);
  strictEqual(callerOf(undefined, sent), undefined);
});

Deno.test("stateOf() keeps what others have written, as far as others pass it on", () => {
  const call = childOf(GIVEN);
  const own = stateOf(call, call, undefined);
  strictEqual(stateOf(call, call, "a=1,enoki=2,b=3"), `${own},a=1,b=3`);
  for (const given of [5, "", `a=${"x".repeat(500)}`, "x".repeat(10_000)]) {
    strictEqual(stateOf(call, call, given), own);
  }
});

Deno.test("traceparentOfSpan() gives a number the same name each time, and no two numbers one name", () => {
  const numbers = [...Array.from({ length: 10_000 }, nextSpan), 2 ** 32 + 1, 2 ** 40 + 1];
  const names = numbers.map((span) => traceparentOfSpan(span, undefined));
  ok(names.every(isTraceparent));
  strictEqual(new Set(names.map(spanIdOf)).size, numbers.length);
  for (const half of [0, 16]) {
    strictEqual(new Set(names.map((name) => traceIdOf(name).slice(half, half + 16))).size, numbers.length);
  }
  strictEqual(traceparentOfSpan(numbers[7]!, undefined), names[7]);
});

Deno.test("traceparentOfSpan() continues the trace and the flags of a parent", () => {
  const name = traceparentOfSpan(nextSpan(), GIVEN);
  ok(isTraceparent(name));
  strictEqual(traceIdOf(name), traceIdOf(GIVEN));
  notStrictEqual(spanIdOf(name), spanIdOf(GIVEN));
  strictEqual(name.slice(-2), "00");
  strictEqual(traceparentOfSpan(GIVEN, undefined), GIVEN);
});
