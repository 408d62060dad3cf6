import { Metrics } from "../../../runtime/telemetry/metrics.ts";
import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { run, type Running } from "../../../extensions/run.ts";
import { TimerHost } from "../../../extensions/timer/host.ts";
import { ConfigurationError } from "../../../runtime/message/errors.ts";
import type { EntrypointHost } from "../../../runtime/hosting/host.ts";
import { createLog } from "../../../runtime/log/log.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import type { Outcome } from "../../../runtime/message/outcome.ts";
import { Ticks } from "./ticks.ts";
import { SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";

const QUEUE = "enoki_test_ticks";
const SINGLE = `enoki_test_single_${QUEUE}`;
Deno.env.set("ENOKI_TEST_TICKS", QUEUE);

const lines: string[] = [];
configureLogging({ write: (line) => void lines.push(line) });

function serve(broker: MemoryBroker, name: string): Promise<Running> {
  return run([`${import.meta.dirname}/ticking.ts:${name}`], {
    broker: memory({ broker }),
    threads: { kind: "web", permissions: { env: ["ENOKI_TEST_TICKS"] } },
  });
}

Deno.test("run() serves timers and crons, and stops them", async () => {
  const broker = new MemoryBroker();
  await using ticks = await Ticks.open(memory({ broker }), QUEUE);
  {
    await using _running = await serve(broker, "enoki_test_plain");
    const missing = new Set(["eager", "often", "second"]);
    while (missing.size > 0) missing.delete((await ticks.next()).text);
  }
  while (ticks.waiting > 0) assert.notEqual((await ticks.next()).text, "eager");
});

Deno.test("timer() goes on after a handler that threw", async () => {
  const broker = new MemoryBroker();
  await using ticks = await Ticks.open(memory({ broker }), QUEUE);
  await using _running = await serve(broker, "enoki_test_failing");
  for (let count = 0; count < 3; count++) await ticks.find(({ text }) => text === "fail");
  assert.ok(lines.some((line) => /timer enoki_test_failing\.fail failed: Error: as expected/.test(line)));
});

Deno.test("timer() goes on after a handler that took longer than its timeout", async () => {
  const broker = new MemoryBroker();
  await using ticks = await Ticks.open(memory({ broker }), QUEUE);
  await using _running = await serve(broker, "enoki_test_failing");
  for (let count = 0; count < 2; count++) await ticks.find(({ text }) => text === "spin");
  assert.ok(
    lines.some((line) =>
      /timer enoki_test_failing\.spin failed: Cannot finish enoki_test_failing\.spin: it took longer than its timeout of \d+ ms/
        .test(line)
    ),
  );
});

Deno.test("timer() does not overlap itself, though there are threads enough", async () => {
  const broker = new MemoryBroker();
  await using ticks = await Ticks.open(memory({ broker }), QUEUE);
  await using _running = await serve(broker, "enoki_test_slow");
  const texts: string[] = [];
  while (texts.length < 6) texts.push((await ticks.next()).text);
  assert.deepEqual(texts, ["begin", "end", "begin", "end", "begin", "end"]);
});

Deno.test("Running.shutdown() waits for a running tick, and no further one comes", async () => {
  const broker = new MemoryBroker();
  await using ticks = await Ticks.open(memory({ broker }), QUEUE);
  const running = await serve(broker, "enoki_test_slow");
  await ticks.find(({ text }) => text === "begin");
  await running.shutdown();
  assert.equal((await ticks.next()).text, "end");
  assert.equal(ticks.waiting, 0);
});

Deno.test("run() refuses a cron pattern that makes no sense, and names service and pattern", async () => {
  await assert.rejects(serve(new MemoryBroker(), "enoki_test_unreadable"), (error: Error) => {
    assert.ok(error instanceof ConfigurationError);
    assert.match(
      error.message,
      /^Cannot schedule "enoki_test_unreadable\.never": .*"61 \* \* \* \*": Invalid value for minute/,
    );
    return true;
  });
});

Deno.test("timer() with once ticks in one of three instances, and in another when that stops", async () => {
  const broker = new MemoryBroker();
  await using ticks = await Ticks.open(memory({ broker }), QUEUE);
  const first = await serve(broker, SINGLE);
  const begin = performance.now();
  await using _second = await serve(broker, SINGLE);
  await using _third = await serve(broker, SINGLE);
  let count = 0;
  while (performance.now() - begin < 2_000) count += (await ticks.next(), 1);
  const elapsed = performance.now() - begin;
  assert.ok(count <= elapsed / 100 + 1, `${count} ticks in ${elapsed} ms`);
  await first.shutdown();
  while (ticks.waiting > 0) await ticks.next();
  await ticks.next();
});

Deno.test("TimerHost runs a tick again that was shed, and skips one that the container no longer takes", async () => {
  const done = Promise.withResolvers<void>();
  const outcomes: Outcome[] = [
    { status: "unstarted", reason: "shed" },
    { status: "unstarted", reason: "stopping" },
    { status: "done", body: undefined },
  ];
  const ran: number[] = [];
  await using transport = memory();
  const host: EntrypointHost = {
    service: "shedding",
    transport,
    config: {},
    log: createLog({ emit: () => {} }),
    signal: new AbortController().signal,
    demand: 1,
    onDemand: () => {},
    run() {
      ran.push(performance.now());
      const outcome = outcomes.shift()!;
      if (outcomes.length === 0) done.resolve();
      return Promise.resolve(outcome);
    },
    metrics: new Metrics(),
    clock: SYSTEM_CLOCK,
    shed: () => {},
    least: () => 0,
    watch: () => {},
  };
  const options = { interval: 0.1, eager: true };
  await using timers = new TimerHost([{
    index: 0,
    method: "sweep",
    kind: "timer",
    options,
    timeout: undefined,
  }], host);
  await timers.start();
  await done.promise;
  const [shed, again, next] = ran as [number, number, number];
  assert.ok(again - shed < 50 && next - again > 50, `${again - shed} and ${next - again} ms`);
});
