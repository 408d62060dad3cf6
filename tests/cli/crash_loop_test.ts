/** A service whose process crashes again and again. */
import assert from "node:assert/strict";
import { Child } from "../fixtures/child.ts";
import { enoki, PROGRAM, SERVICES, withBroker } from "./command.ts";

const ATTACKING = `${SERVICES}attacking.ts`;

const CRASHED = /^Cannot serve "attacker": its process has crashed 5 times, each within 60 s .* SIGKILL$/m;

/** Runs services, and has one of them kill its process until it is stopped. */
async function crashLoop(
  module: string,
  end: (running: Child, broker: string) => Promise<void>,
): Promise<void> {
  await withBroker(async (broker) => {
    const [program, ...args] = PROGRAM;
    const options = ["-A", "--isolation", "process", "--max-workers", "1", "--broker", broker];
    await using running = new Child(program, [...args, "run", ...options, module]);
    await running.says("Ready on");
    let isStopped = false;
    const stopping = running.says('Stopping service "attacker": its process has crashed 5 times');
    void stopping.then(() => isStopped = true);
    while (!isStopped) {
      await Promise.race([stopping, enoki(["call", "--broker", broker, "--timeout", "2", "attacker.die"])]);
    }
    await end(running, broker);
    const { code, err } = await running.ended();
    assert.equal(code, 2);
    assert.match(err, CRASHED);
  });
}

Deno.test("a run goes on without a service whose process crashes again and again, and ends with 2", () =>
  crashLoop(ATTACKING, async (running, broker) => {
    const { status } = await enoki(["call", "--broker", broker, "neighbour.process"]);
    assert.equal(status, 0);
    running.kill("SIGTERM");
  }));

Deno.test("a run whose only service crashes again and again ends with 2", () =>
  crashLoop(`${ATTACKING}:attacker`, async () => {}));
