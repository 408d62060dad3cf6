/** What the policies of clients promise, with real threads on every transport. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { connect, run } from "../../../../extensions/run.ts";
import { configureLogging } from "../../../../runtime/log/observe.ts";
import { BROKERS, isMissing } from "../../../fixtures/brokers.ts";
import { freePort } from "../../../fixtures/free_port.ts";
import { parsePrometheus, valueOf } from "../../../fixtures/prometheus_parser.ts";
import { servicePath } from "../../../fixtures/serve_in_memory.ts";
import { type ShakyRequest, ShakyService } from "./shaky_service.ts";

let lines = "";
configureLogging({ write: (line) => void (lines += line), level: "debug" });

/** What the handler tells. */
interface Told {
  readonly thread: string;
  readonly value?: unknown;
  readonly error?: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: string;
}

type Ask = (client: string, method: string, options?: object, ...args: unknown[]) => Promise<Told>;

/** Number of calls that the service runs at once, in two threads. */
const AT_ONCE = 16;

for (const [kind, open] of Object.entries(BROKERS)) {
  for (const threads of kind === "memory" ? ["web", "node"] as const : ["node"] as const) {
    Deno.test({
      name: `a client keeps to its policies on ${kind}, in threads of kind ${threads}`,
      ignore: isMissing(kind),
      fn: (t) => laws(t, open, threads),
    });
  }
}

async function laws(
  t: Deno.TestContext,
  open: (typeof BROKERS)[string],
  threads: "web" | "node",
): Promise<void> {
  lines = "";
  const metrics = `127.0.0.1:${freePort()}`;
  await using broker = await open();
  await using shaky = await ShakyService.open(await broker.transport(), "enoki_test_shaky");
  await using _running = await run([servicePath("resilient.ts")], {
    broker: await broker.transport(),
    config: { HEALTH_ADDRESS: metrics, max_workers: 2, concurrency: AT_ONCE / 2 },
    threads: threads === "web" ? { kind: "web" } : { kind: "node", permissions: "all" },
  });
  await using cluster = await connect({ broker: await broker.transport() });
  const ask = cluster.client("enoki_test_resilient")["ask"]! as unknown as Ask;
  const numberOf = async (name: string, client: string, more = {}) => {
    const page = parsePrometheus(await (await fetch(`http://${metrics}/metrics`)).text());
    return valueOf(page, name, { service: "enoki_test_resilient", client, ...more }) ?? 0;
  };
  /** Starts calls in both threads: no call ends before all have begun. */
  const inBothThreads = async (client: string, count = AT_ONCE) => {
    const calls = Array.from({ length: count }, () => ask(client, "read"));
    const requests = await Promise.all(calls.map(() => shaky.next()));
    return { calls, requests };
  };

  await t.step(
    "an idempotent call is tried again after a failure that says nothing of the work",
    async () => {
      for (const code of ["WORKER_LOST", "CONTAINER_STOPPING", "TIMEOUT"]) {
        const told = ask("retrying", "read");
        await (await shaky.next()).fail(code);
        await (await shaky.next()).answer(code);
        strictEqual((await told).value, code);
      }
      strictEqual(await numberOf("enoki_client_retries_total", "retrying"), 3);
      match(
        lines,
        /Attempt 1 of 3 to call "enoki_test_shaky\.read" failed: no\. The next one begins in \d ms/,
      );
    },
  );

  await t.step("a call that is not idempotent is not tried again, unless it says so", async () => {
    const told = ask("retrying", "write");
    await (await shaky.next()).fail("WORKER_LOST");
    strictEqual((await told).code, "WORKER_LOST");
    const again = ask("retrying", "write", { idempotent: true });
    await (await shaky.next()).fail("WORKER_LOST");
    await (await shaky.next()).answer(1);
    strictEqual((await again).value, 1);
    const off = ask("retrying", "read", { retry: false });
    await (await shaky.next()).fail("WORKER_LOST");
    strictEqual((await off).code, "WORKER_LOST");
  });

  await t.step("an error of the handler is tried again only if `on` names it", async () => {
    const told = ask("retrying", "read");
    await (await shaky.next()).fail("ERROR", "Conflict");
    await (await shaky.next()).fail("TIMEOUT", "Other");
    match((await told).message, /^Other no/);
  });

  await t.step("the stack of the final error says how many attempts there were", async () => {
    const told = ask("retrying", "read");
    for (let attempt = 1; attempt <= 3; attempt++) await (await shaky.next()).fail("WORKER_LOST");
    match((await told).stack, /^WorkerLostError: no\n {4}after 3 attempts\n {4}at /);
  });

  await t.step("an attempt has a time limit of its own, which the service is told", async () => {
    const told = ask("impatient", "read");
    const { left } = await shaky.next();
    ok(left <= 100, `${left} ms are left`);
    await (await shaky.next()).answer(2);
    strictEqual((await told).value, 2);
  });

  await t.step("no attempt begins past the deadline of the caller", async () => {
    const { count } = shaky;
    const told = ask("hasty", "read");
    await (await shaky.next()).fail("WORKER_LOST");
    // It would begin 20 s later, and the call ends at once instead.
    strictEqual((await told).code, "WORKER_LOST");
    strictEqual(shaky.count, count + 1);
  });

  await t.step("all threads share a circuit, which opens once and then lets nothing through", async () => {
    const { calls, requests } = await inBothThreads("breaking");
    await Promise.all(requests.map((request) => request.fail("WORKER_LOST")));
    const threads = new Set((await Promise.all(calls)).map(({ thread }) => thread));
    strictEqual(threads.size, 2);
    const { count } = shaky;
    const refused = await Promise.all(Array.from({ length: AT_ONCE }, () => ask("breaking", "read")));
    deepStrictEqual(new Set(refused.map(({ error, code }) => `${error} ${code}`)).size, 1);
    strictEqual(refused[0]!.error, "CircuitOpenError");
    strictEqual(refused[0]!.code, "CIRCUIT_OPEN");
    match(
      refused[0]!.message,
      /"enoki_test_shaky\.read" through client "breaking": its circuit is open, .*\. Check/,
    );
    strictEqual(shaky.count, count);
    strictEqual(await numberOf("enoki_client_circuit_state", "breaking", { method: "*" }), 2);
    strictEqual(await numberOf("enoki_client_rejections_total", "breaking", { reason: "circuit" }), AT_ONCE);
    strictEqual(
      lines.split(`The circuit of client "breaking" for service "enoki_test_shaky" is open`).length,
      2,
    );
  });

  await t.step("one call passes an open circuit if it switches that off", async () => {
    const told = ask("breaking", "read", { circuit: false });
    await (await shaky.next()).answer(3);
    strictEqual((await told).value, 3);
  });

  await t.step(
    "a half-open circuit lets exactly the configured number through, and closes after them",
    async () => {
      const failing = ask("healing", "read");
      await (await shaky.next()).fail("WORKER_LOST");
      await failing;
      // A millisecond later it is half-open for two.
      const arrival = shaky.next();
      let probe: ShakyRequest | Told;
      do probe = await Promise.race([arrival, ask("healing", "read")]); while ("thread" in probe);
      let refused = 0;
      const allRefused = Promise.withResolvers<void>();
      const calls = Array.from({ length: AT_ONCE - 1 }, async () => {
        const { code } = await ask("healing", "read");
        if (code === "CIRCUIT_OPEN" && ++refused === AT_ONCE - 2) allRefused.resolve();
      });
      const probes = [probe, await shaky.next()];
      await allRefused.promise;
      strictEqual(await numberOf("enoki_client_circuit_state", "healing", { method: "*" }), 1);
      for (const probe of probes) await probe.answer();
      await Promise.all(calls);
      strictEqual(await numberOf("enoki_client_circuit_state", "healing", { method: "*" }), 0);
      const last = ask("healing", "read");
      await (await shaky.next()).answer(4);
      strictEqual((await last).value, 4);
    },
  );

  await t.step("all threads share a bulkhead: some calls run, some wait, others are refused", async () => {
    const { count } = shaky;
    const calls = Array.from({ length: AT_ONCE }, () => ask("bounded", "read"));
    const first = [await shaky.next(), await shaky.next()];
    const refusals = () => numberOf("enoki_client_rejections_total", "bounded", { reason: "bulkhead" });
    while (await refusals() < AT_ONCE - 3);
    strictEqual(shaky.count, count + 2);
    await first[0]!.answer();
    await (await shaky.next()).answer();
    await first[1]!.answer();
    const codes = (await Promise.all(calls)).map(({ code }) => code);
    strictEqual(codes.filter((code) => code === "BULKHEAD_FULL").length, AT_ONCE - 3);
    strictEqual(codes.filter((code) => code === undefined).length, 3);
    strictEqual(shaky.count, count + 3);
  });

  await t.step(
    "a call waits in a bulkhead until its own time is over, and leaves its place to nobody",
    async () => {
      const first = ask("narrow", "read");
      const request = await shaky.next();
      const late = await ask("narrow", "read", { timeout: 50 });
      strictEqual(late.code, "TIMEOUT");
      match(late.message, /it waited 50 ms for one of 1 calls under way to end/);
      const wide = ask("narrow", "wide");
      await (await shaky.next()).answer("wide");
      strictEqual((await wide).value, "wide");
      const next = ask("narrow", "read");
      await request.answer("first");
      strictEqual((await first).value, "first");
      await (await shaky.next()).answer("next");
      strictEqual((await next).value, "next");
    },
  );

  await t.step("all threads share a rate", async () => {
    const { count } = shaky;
    const calls = Array.from({ length: AT_ONCE }, () => ask("rated", "read"));
    for (let sent = 0; sent < 3; sent++) await (await shaky.next()).answer();
    const codes = (await Promise.all(calls)).map(({ code }) => code);
    strictEqual(codes.filter((code) => code === "RATE_LIMITED").length, AT_ONCE - 3);
    strictEqual(shaky.count, count + 3);
  });

  await t.step(
    "a fallback covers an unavailable service and the refusals of the client, and no other error",
    async () => {
      const other = ask("covered", "value");
      await (await shaky.next()).fail("ERROR", "Invalid");
      strictEqual((await other).error, "RemoteError");
      const failing = ask("covered", "value");
      await (await shaky.next()).fail("ERROR", "Broken");
      deepStrictEqual((await failing).value, ["nothing"]);
      // The circuit is open by now.
      deepStrictEqual((await ask("covered", "made", {}, 5)).value, ["CircuitOpenError", "made", 5]);
      strictEqual((await ask("covered", "none")).code, "CIRCUIT_OPEN");
      strictEqual(await numberOf("enoki_client_fallbacks_total", "covered"), 2);
    },
  );

  await t.step("an option of a call that makes no sense is refused", async () => {
    const { message } = await ask("rated", "read", { rateLimit: { perSecond: 1 } });
    match(message, /^Cannot call "enoki_test_shaky\.read": with\(\) can only switch rateLimit off \(false\)/);
    match((await ask("rated", "read", { retries: 1 })).message, /with\(\) has no option "retries"/);
  });
}
