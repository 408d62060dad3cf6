/** A service whose process crashes again and again. */
import assert from "node:assert/strict";
import { memory } from "../../extensions/memory/mod.ts";
import { Runner } from "../../extensions/run.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import type { ServiceContainer } from "../../runtime/serving/service_container.ts";
import { Child } from "../fixtures/child.ts";
import { EditedModules } from "../fixtures/edited_module.ts";
import { freePort } from "../fixtures/free_port.ts";
import { parsePrometheus, valueOf } from "../fixtures/prometheus_parser.ts";
import { enoki, PROGRAM, SERVICES, withBroker } from "./command.ts";

configureLogging({ write: () => {} });

const ATTACKING = `${SERVICES}attacking.ts`;

const CRASHED = /^Cannot serve "attacker": its process has crashed 5 times, each within 60 s .* SIGKILL$/m;

const NOT_READY = "not ready\nservice attacker: failed, because its process has crashed again and again\n";

/** What the address for health answers: the status and the text. */
async function answerOf(url: string): Promise<readonly [number, string]> {
  const response = await fetch(url);
  return [response.status, await response.text()];
}

/** Calls a method that kills the process, until something has happened. */
async function dieUntil(happening: Promise<void>, broker: string, service: string): Promise<void> {
  let isOver = false;
  const over = happening.then(() => isOver = true);
  while (!isOver) await enoki(["call", "--broker", broker, "--timeout", "1", `${service}.die`]);
  await over;
}

/** Runs services, and has one of them kill its process until it is stopped. */
async function crashLoop(
  module: string,
  end: (running: Child, broker: string, health: string) => Promise<void>,
): Promise<void> {
  await withBroker(async (broker) => {
    const [program, ...args] = PROGRAM;
    const health = `127.0.0.1:${freePort()}`;
    const options = ["-A", "--isolation", "process", "--max-workers", "1", "--broker", broker];
    const defined = ["--define", `HEALTH_ADDRESS=${health}`, "--define", "METRICS=true"];
    await using running = new Child(program, [...args, "run", ...options, ...defined, module]);
    await running.says("Ready on");
    assert.deepEqual(await answerOf(`http://${health}/readyz`), [200, "ready\n"]);
    const stopping = running.says('Stopping service "attacker": its process has crashed 5 times');
    await dieUntil(stopping, broker, "attacker");
    await end(running, broker, `http://${health}`);
    const { code, err } = await running.ended();
    assert.equal(code, 2);
    assert.match(err, CRASHED);
    assert.ok(err.match(/Cannot start another thread/g)!.length <= 4, "no attempt comes before its time");
  });
}

Deno.test("a run goes on without a service whose process crashes again and again, and ends with 2", () =>
  crashLoop(ATTACKING, async (running, broker) => {
    const { status } = await enoki(["call", "--broker", broker, "neighbour.process"]);
    assert.equal(status, 0);
    running.kill("SIGTERM");
  }));

Deno.test("health, numbers and ps tell of a service whose process crashes again and again", () =>
  crashLoop(ATTACKING, async (running, broker, health) => {
    let rows: readonly { service: string; state: string; failure?: string }[] = [];
    while (rows.find(({ service }) => service === "attacker")?.state !== "failed") {
      rows = JSON.parse((await enoki(["ps", "--broker", broker, "--json"])).out);
    }
    assert.match(rows.find(({ service }) => service === "attacker")!.failure!, CRASHED);
    assert.equal(rows.find(({ service }) => service === "neighbour")!.state, "running");
    const { out, err } = await enoki(["ps", "--broker", broker]);
    assert.match(out, /^attacker .* failed$/m);
    assert.match(err, /^\S+ \d+: Cannot serve "attacker": its process has crashed 5 times/);
    assert.deepEqual(await answerOf(`${health}/readyz`), [503, NOT_READY]);
    assert.deepEqual(await answerOf(`${health}/healthz`), [200, "ok\n"]);
    const numbers = parsePrometheus((await answerOf(`${health}/metrics`))[1]);
    const down = (service: string) => valueOf(numbers, "enoki_service_down", { service });
    assert.deepEqual([down("attacker"), down("neighbour")], [1, 0]);
    running.kill("SIGTERM");
  }));

Deno.test("a run whose only service crashes again and again ends with 2", () =>
  crashLoop(`${ATTACKING}:attacker`, async () => {}));

/** Kills each process of a service, until the service is given up. */
async function exhaust(container: ServiceContainer): Promise<void> {
  let killed: number | undefined;
  while (container.state !== "failed") {
    const { ownPid } = container.place;
    if (ownPid !== undefined && ownPid !== killed) Deno.kill(killed = ownPid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("a run with --watch goes on without any service, and starts one again when its file is saved", () =>
  withBroker(async (broker) => {
    await using modules = await EditedModules.open();
    const die = { method: "die", entrypoint: "rpc()", handler: '() => Deno.kill(Deno.pid, "SIGKILL")' };
    const module = await modules.write("service.ts", { number: 1, more: [die] });
    const [program, ...args] = PROGRAM;
    const options = ["--watch", "-A", "--isolation", "process", "--max-workers", "1", "--broker", broker];
    await using running = new Child(program, [...args, "run", ...options, module]);
    await running.says("Ready on");
    await dieUntil(
      running.says("Waiting for a change: no service runs any more"),
      broker,
      "enoki_test_edited",
    );
    await modules.write("service.ts", { number: 2 });
    await running.says("Reloaded enoki_test_edited in ");
    const { out } = await enoki(["call", "--broker", broker, "enoki_test_edited.version"]);
    assert.equal(out, "2\n");
    running.kill("SIGTERM");
    assert.equal((await running.ended()).code, 0);
  }));

Deno.test("a service whose process has crashed again and again may start again, and nobody misses it once it is stopped", async () => {
  const health = `127.0.0.1:${freePort()}`;
  await using runner = new Runner({
    broker: memory(),
    config: { HEALTH_ADDRESS: health, max_workers: 1 },
    threads: { kind: "process", permissions: "all" },
  });
  for (const name of ["attacker", "neighbour"]) await runner.add(`${ATTACKING}:${name}`);
  await runner.start();
  const ready = () => answerOf(`http://${health}/readyz`);
  const container = runner.container("attacker");
  await exhaust(container);
  assert.match(container.failure!.message, CRASHED);
  assert.deepEqual(await ready(), [503, NOT_READY]);
  await container.start();
  assert.deepEqual([container.state, container.failure], ["running", undefined]);
  assert.deepEqual(await ready(), [200, "ready\n"]);
  await exhaust(container);
  await container.stop();
  assert.deepEqual(await ready(), [200, "ready\n"]);
});
