import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { runInHostHooks } from "../../../runtime/hosting/host_hooks.ts";
import type { HostedCall, HostHook } from "../../../runtime/hosting/host.ts";
import { createLog, type LogRecord } from "../../../runtime/log/log.ts";
import type { Outcome } from "../../../runtime/message/outcome.ts";

const DONE: Outcome = { status: "done", body: "1" };

/** Runs a call in hooks, and gives its outcome and the messages of the log. */
async function played(...hooks: HostHook[]): Promise<{ outcome: Outcome; records: readonly LogRecord[] }> {
  const records: LogRecord[] = [];
  const log = createLog({ emit: (record) => records.push(record) });
  const entry = { index: 0, method: "place", kind: "rpc", options: {}, timeout: undefined };
  const payload = { body: "", contentType: undefined, headers: undefined };
  const call: HostedCall = { service: "orders", entry, payload, log };
  return { outcome: await runInHostHooks(hooks, call, () => Promise.resolve(DONE)), records };
}

Deno.test("a host hook writes to the log of the service whose call it gets", async () => {
  const { outcome, records } = await played(({ log, entry }, next) => {
    log.info(`before ${entry.method}`);
    return next();
  });
  strictEqual(outcome, DONE);
  deepStrictEqual(records.map(({ level, message }) => [level, message]), [["info", "before place"]]);
});

Deno.test("what a host hook throws is the failure of the call, and is logged once", async () => {
  const { outcome, records } = await played(
    (_call, next) => next(),
    () => {
      throw new RangeError("closed");
    },
  );
  deepStrictEqual(outcome.status === "failed" && outcome.failure.name, "RangeError");
  deepStrictEqual(records.map(({ level, message }) => [level, message]), [
    ["error", "rpc orders.place failed in the hook of an extension: RangeError: closed"],
  ]);
});
