import assert from "node:assert/strict";
import { formatWaterfall, placeCalls } from "../../extensions/cli/view/waterfall.ts";
import type { TracedCall } from "../../extensions/control/traced_calls.ts";
import { enoki, SERVICES, withBroker, withService } from "./command.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";

const CALL: TracedCall = {
  trace: TRACE,
  span: "",
  service: "shop",
  method: "place",
  kind: "rpc",
  instance: "b3c8698d-0000",
  host: "web1",
  pid: 1,
  thread: "shop#1",
  at: 1_000_000,
  took: 100,
  waited: 0,
  outcome: "ok",
};

/** Makes calls; `at` counts from the beginning of the trace. */
function calls(
  ...given: readonly (Partial<TracedCall> & { readonly span: string })[]
): readonly TracedCall[] {
  return given.map(({ at = 0, ...call }) => ({ ...CALL, ...call, at: CALL.at + at }));
}

function places(given: readonly TracedCall[]): unknown[] {
  return placeCalls(given).map(({ call: { span }, depth, start }) => [span, depth, start]);
}

Deno.test("placeCalls() puts each call behind its parent, and those of unknown parents first", () => {
  const given = calls(
    { span: "c", parent: "b", at: 20 },
    { span: "d", parent: "a", at: 40 },
    { span: "a", parent: "outside" },
    { span: "b", parent: "a", at: 10 },
    { span: "e", at: 5 },
  );
  assert.deepEqual(places(given), [["a", 0, 0], ["b", 1, 10], ["c", 2, 20], ["d", 1, 40], ["e", 0, 5]]);
});

Deno.test("placeCalls() moves what another clock puts before its parent or behind its parent's end", () => {
  const given = calls(
    { span: "a" },
    { span: "early", parent: "a", host: "web2", at: -3_600_000, took: 10 },
    { span: "below", parent: "early", host: "web2", at: -3_600_000 + 4, took: 1 },
    { span: "late", parent: "a", host: "web3", at: 3_600_000, took: 10 },
    { span: "event", parent: "a", host: "web3", kind: "event", at: 500, took: 10 },
    { span: "here", parent: "a", at: 300, took: 10 },
  );
  assert.deepEqual(places(given), [
    ["a", 0, 0],
    ["early", 1, 0],
    ["below", 2, 4],
    ["here", 1, 300],
    ["event", 1, 500],
    ["late", 1, 90],
  ]);
});

Deno.test("placeCalls() has each call once, even if calls name each other or themselves as their parents", () => {
  const given = calls({ span: "a", parent: "b" }, { span: "b", parent: "a" }, { span: "c", parent: "c" });
  assert.deepEqual(placeCalls(given).map(({ call }) => call.span).sort(), ["a", "b", "c"]);
  const chain = Array.from({ length: 20_000 }, (_, n) => ({ span: `${n}`, parent: `${n - 1}`, at: n }));
  assert.equal(placeCalls(calls(...chain)).at(-1)?.depth, 19_999);
});

Deno.test("formatWaterfall() shows waiting and running, attempts after a failure, and what failed", () => {
  const given = calls(
    { span: "a", kind: "http", took: 80, waited: 40 },
    { span: "b", parent: "a", kind: "event", at: 40, took: 20, outcome: "failed", error: "Broken\x1b[2J" },
    { span: "c", parent: "a", kind: "event", at: 60, took: 0.25 },
  );
  const text = formatWaterfall(placeCalls(given), { width: 83, markFailed: (line) => `!${line}` });
  const [titles, http, failed, again] = text.split("\n");
  assert.match(titles!, /^CALL +START +TOOK +WAITED +OUTCOME$/);
  assert.match(http!, /^http shop\.place .* 0ms {2}░{10}█{10} +80ms +40ms {2}ok$/);
  assert.match(failed!, /^! {2}event shop\.place .* 40ms {12}█{5} .*Broken/);
  assert.match(again!, /^ {2}event shop\.place \(again\) .* 60ms {17}▏ .*0\.3ms/);
  assert.ok(text.split("\n").every((line) => line.length <= 84), text);
  // deno-lint-ignore no-control-regex -- these are the characters that must not come out
  assert.doesNotMatch(text, /\x1b/);
});

Deno.test("enoki trace shows who called whom, and prints the calls as JSON", () =>
  withService(`${SERVICES}chain.ts`, async (broker) => {
    const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
    const argv = ["call", "--broker", broker, "--header", `traceparent=${traceparent}`];
    assert.equal((await enoki([...argv, "enoki_test_outer.trace"])).status, 0);
    const show = async (...flags: readonly string[]) => {
      while (true) {
        const ended = await enoki(["trace", "--broker", broker, ...flags]);
        assert.equal(ended.status, 0, ended.err);
        if ((ended.out.match(/enoki_test_outer/g) ?? []).length > 0) return ended.out;
      }
    };
    const [title, , outer, middle, inner] = (await show(traceparent)).split("\n");
    assert.match(title!, new RegExp(`^trace ${TRACE}: 3 calls of 3 services in 1 process, [\\d.]+ms$`));
    assert.match(outer!, /^rpc enoki_test_outer\.trace +[\da-f]{8} +enoki_test_outer#1 +0ms /);
    assert.match(middle!, /^ {2}rpc enoki_test_middle\.trace /);
    assert.match(inner!, /^ {4}rpc enoki_test_inner\.trace .* ok$/);
    const [first] = JSON.parse(await show("--json", TRACE.slice(0, 8)));
    assert.deepEqual([first.trace, first.method, first.outcome], [TRACE, "trace", "ok"]);
    const { status, out, err } = await enoki(["trace", "--broker", broker, "--timeout", "60", "ffffff"]);
    assert.deepEqual([status, out], [0, ""]);
    assert.match(
      err,
      /^The process that answers has no call of trace ffffff\. A process remembers .*recent_calls/,
    );
  }));

Deno.test("enoki trace says that nothing answers", () =>
  withBroker(async (broker) => {
    const { status, err } = await enoki(["trace", "--broker", broker, TRACE]);
    assert.deepEqual([status, err.startsWith("No process answers at local:")], [0, true]);
  }));
