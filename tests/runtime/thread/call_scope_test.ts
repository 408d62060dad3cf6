import { deepStrictEqual, match, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { CallScope } from "../../../runtime/thread/call_scope.ts";
import { createLog, type LogRecord } from "../../../runtime/log/log.ts";
import type { FieldTable } from "../../../runtime/message/transport.ts";

function scope(
  headers?: FieldTable,
  parentCallsTracked = 10,
  records: LogRecord[] = [],
  timeout?: number,
  deadline?: number,
): CallScope {
  return new CallScope(
    { method: "place", kind: "rpc", options: {} },
    { headers, ...(timeout !== undefined && { timeout }), ...(deadline !== undefined && { deadline }) },
    {
      service: "orders",
      parentCallsTracked,
      logFor: (fields) => createLog({ emit: (record) => records.push(record), ...(fields && { fields }) }),
    },
  );
}

/** Resolves with the reason. */
function aborted(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve(signal.reason);
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(signal.reason), { once: true })
  );
}

Deno.test("CallScope.id is service, method and a UUID, and stays", () => {
  const call = scope();
  match(call.id, /^orders\.place\.[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  strictEqual(call.id, call.id);
  notStrictEqual(call.id, scope().id);
});

Deno.test("CallScope.stack ends with the call's own id", () => {
  const call = scope({ "nameko.call_id_stack": ["a.b.1", "c.d.2"] });
  deepStrictEqual(call.stack, ["a.b.1", "c.d.2", call.id]);
  strictEqual(call.stack, call.stack);
});

Deno.test("CallScope.stack is trimmed from the left to the calls tracked and its own", () => {
  const stack = Array.from({ length: 12 }, (_, index) => `a.b.${index}`);
  for (const [tracked, length] of [[10, 11], [1, 2], [0, 1], [-1, 0], [-5, 0], [100, 13]] as const) {
    const call = scope({ "nameko.call_id_stack": stack }, tracked);
    deepStrictEqual(
      call.stack,
      length === 0 ? [] : [...stack, call.id].slice(-length),
      `tracking ${tracked}`,
    );
  }
});

Deno.test("CallScope.headers has the context data without stack and deadline", () => {
  const call = scope({
    "nameko.language": "de",
    "nameko.call_id_stack": ["a.b.1"],
    "nameko.enoki_deadline": "5",
  });
  deepStrictEqual(call.headers, { language: "de" });
  strictEqual(call.deadline, 5);
});

Deno.test("CallScope without headers has no context data and no deadline", () => {
  const call = scope();
  deepStrictEqual(call.headers, {});
  strictEqual(call.deadline, undefined);
});

Deno.test("CallScope.signal aborts when the call is cancelled", () => {
  const call = scope();
  const { signal } = call;
  strictEqual(signal.aborted, false);
  call.cancel("cancelled");
  strictEqual((signal.reason as Error).name, "AbortError");
  strictEqual(call.signal, signal);
});

Deno.test("CallScope.signal is aborted from the start when asked for after the cancel", () => {
  const call = scope();
  call.cancel("stopping");
  strictEqual((call.signal.reason as Error).name, "ContainerStoppingError");
});

Deno.test("CallScope.signal keeps the first reason", () => {
  const call = scope();
  call.cancel("timeout");
  call.cancel("stopping");
  strictEqual((call.signal.reason as Error).name, "CallTimeoutError");
});

Deno.test("CallScope.deadline is the caller's or that of its own timeout, whichever is earlier", () => {
  const now = Date.now();
  const far = { "nameko.enoki_deadline": String(now + 60_000) };
  const own = scope(far, 10, [], 500).deadline!;
  ok(own >= now + 500 && own < now + 5_000);
  strictEqual(scope(far, 10, [], 120_000).deadline, now + 60_000);
  ok(scope(undefined, 10, [], 500).deadline! >= now + 500);
});

Deno.test("CallScope.deadline is the one that the main thread has counted, and not what the headers say", () => {
  const headers = { "nameko.enoki_timeout": "60000" };
  strictEqual(scope(headers, 10, [], undefined, 5).deadline, 5);
  strictEqual(scope(headers, 10, [], undefined, 5).signal.aborted, true);
});

Deno.test("CallScope.liftTimeout() leaves the caller's deadline", () => {
  const call = scope({ "nameko.enoki_deadline": "7" }, 10, [], 500);
  call.liftTimeout();
  strictEqual(call.deadline, 7);
});

Deno.test("CallScope.liftTimeout() keeps its timeout from aborting the signal", async () => {
  const call = scope(undefined, 10, [], 20);
  const { signal } = call;
  call.liftTimeout();
  await aborted(AbortSignal.timeout(40));
  strictEqual(signal.aborted, false);
  call.end();
});

Deno.test("CallScope.signal is aborted from the start when asked for after the deadline", () => {
  const call = scope({ "nameko.enoki_deadline": String(Date.now() - 500) });
  strictEqual((call.signal.reason as Error).name, "CallTimeoutError");
});

Deno.test("CallScope.signal aborts at the deadline", async () => {
  const call = scope({ "nameko.enoki_deadline": String(Date.now() + 20) });
  const reason = await aborted(call.signal) as Error;
  strictEqual(reason.name, "CallTimeoutError");
  ok(Date.now() >= call.deadline!);
  call.end();
});

Deno.test("CallScope.signal leaves it to main to say that the call's own timeout is over", async () => {
  const { signal } = scope(undefined, 10, [], 10);
  await new Promise((resolve) => setTimeout(resolve, 30));
  strictEqual(signal.aborted, false);
});

Deno.test("CallScope.signal does not abort early at a deadline beyond what a timer can hold", async () => {
  const call = scope({ "nameko.enoki_deadline": String(Date.now() + 2 ** 40) });
  const { signal } = call;
  await aborted(AbortSignal.timeout(5));
  strictEqual(signal.aborted, false);
  call.end();
});

Deno.test("CallScope.end() leaves no timer behind", { sanitizeOps: true }, () => {
  const call = scope({ "nameko.enoki_deadline": String(Date.now() + 60_000) });
  strictEqual(call.signal.aborted, false);
  call.end();
});

Deno.test(
  "CallScope.end() lets a signal that is asked for later start no timer",
  { sanitizeOps: true },
  () => {
    const call = scope({ "nameko.enoki_deadline": String(Date.now() + 60_000) });
    call.end();
    strictEqual(call.signal.aborted, false);
  },
);

Deno.test("CallScope.log writes with the call's id", () => {
  const records: LogRecord[] = [];
  const call = scope(undefined, 10, records);
  call.log.info("hello", { a: 1 });
  deepStrictEqual(records[0]?.properties, { a: 1 });
  strictEqual(records[0]?.fields?.call, call.id);
});
