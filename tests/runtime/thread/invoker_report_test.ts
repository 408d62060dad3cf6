import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { BadRequestError } from "../../../runtime/message/errors.ts";
import type { LogRecord } from "../../../runtime/log/log.ts";
import { converting, fail, json, messageOf, single, stage, witness } from "../../fixtures/invoker_stage.ts";

Deno.test("Invoker.invoke() reports a failing release without hiding the failure before it", async () => {
  const events: string[] = [];
  const dependencies = { a: witness("a", events, "release"), b: witness("b", events, "release") };
  await using on = await stage(single(dependencies, json(), fail("boom")));
  strictEqual(messageOf(await on.call([])), "boom");
  deepStrictEqual(on.records.map(({ error }) => error?.message), [
    "release of b failed",
    "release of a failed",
    "boom",
  ]);
});

Deno.test("Invoker.invoke() logs a bad request at info, without stack", async () => {
  const decode = () => {
    throw new BadRequestError("bad");
  };
  await using on = await stage(single({}, converting(decode), () => 1));
  await on.call([]);
  strictEqual(on.records.length, 1);
  const [{ level, message, error }] = on.records as [LogRecord];
  strictEqual(level, "info");
  strictEqual(message, "converting single.run failed: BadRequestError: bad");
  strictEqual(error, undefined);
});

Deno.test("Invoker.invoke() takes a bad request from the handler for a fault", async () => {
  await using on = await stage(single({}, json(), () => {
    throw new BadRequestError("mine");
  }));
  strictEqual((await on.call([]) as { expected: boolean }).expected, false);
  strictEqual(on.records[0]!.level, "error");
});

Deno.test("Invoker.invoke() logs an unexpected error with its stack and the arguments", async () => {
  await using on = await stage(single({}, json(), (_context, _order: unknown) => fail("boom")()));
  strictEqual((await on.call([{ id: 1 }]) as { expected: boolean }).expected, false);
  const [{ level, message, error, fields, properties }] = on.records as [LogRecord];
  strictEqual(level, "error");
  strictEqual(message, "json single.run failed: Error: boom");
  match(error!.stack!, /invoker_report_test\.ts/);
  deepStrictEqual(properties!["arguments"], { _order: { id: 1 } });
  match(String(fields!.call), /^single\.run\./);
});

Deno.test("Invoker.invoke() logs an expected error at info without stack, subclasses too", async () => {
  class SoldOut extends Error {}
  class ReallySoldOut extends SoldOut {}
  const named = Object.assign(new Error("named"), { name: "SoldOut" });
  for (const thrown of [new SoldOut("a"), new ReallySoldOut("b"), named]) {
    await using on = await stage(single({}, json({ expected: ["SoldOut"] }), () => {
      throw thrown;
    }));
    const outcome = await on.call([]);
    strictEqual((outcome as { expected: boolean }).expected, true);
    deepStrictEqual(on.records.map(({ level, error }) => [level, error]), [["info", undefined]]);
  }
});

Deno.test("Invoker.invoke() takes no other error for an expected one", async () => {
  for (const thrown of [new Error("a"), "SoldOut", null, new DOMException("a", "AbortError")]) {
    await using on = await stage(single({}, json({ expected: ["SoldOut"] }), () => {
      throw thrown;
    }));
    strictEqual((await on.call([]) as { expected: boolean }).expected, false);
    strictEqual(on.records[0]!.level, "error");
  }
});

Deno.test("Invoker.invoke() settles whatever is thrown", async () => {
  for (
    const thrown of [undefined, null, Object.create(null), Object.freeze(new Error("e")), Symbol("s")]
  ) {
    await using on = await stage(single({}, json({ expected: ["SoldOut"] }), () => {
      throw thrown;
    }));
    strictEqual((await on.call([])).status, "failed");
  }
});

Deno.test("Invoker.invoke() logs arguments masked where the entrypoint says so", async () => {
  const entry = json({ redact: ["password", "order.card"] });
  await using on = await stage(single({}, entry, (_context, order: { card: string }, password: string) => {
    throw new Error(`${order.card} ${password}`.length.toString());
  }));
  await on.call([{ card: "4111", id: 1 }, "secret"]);
  deepStrictEqual(on.records[0]!.properties!["arguments"], {
    order: { card: "********", id: 1 },
    password: "********",
  });
});

Deno.test("Invoker.invoke() logs nothing of a call that succeeds", async () => {
  await using on = await stage(single({}, json(), () => 1));
  await on.call([]);
  deepStrictEqual(on.records, []);
});

Deno.test("Invoker disposal logs a provider that fails and goes on", async () => {
  const events: string[] = [];
  const on = await stage(
    single({ a: witness("a", events), b: witness("b", events, "dispose") }, json(), () => 1),
  );
  events.length = 0;
  await on[Symbol.asyncDispose]();
  deepStrictEqual(events, ["dispose b", "dispose a"]);
  const [{ level, message }] = on.records as [LogRecord];
  deepStrictEqual([level, message], ["error", 'Cannot dispose dependency "b"']);
});
