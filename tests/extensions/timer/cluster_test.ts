import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { local } from "../../../extensions/local/mod.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { Ticks } from "./ticks.ts";

/** An instance in a process of its own. */
class Instance implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;

  constructor(process: Deno.ChildProcess) {
    this.#process = process;
  }

  static async start(broker: string, queue: string): Promise<Instance> {
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-prompt", `${import.meta.dirname}/instance.ts`, broker, queue],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = process.stdout.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    assert.equal(new TextDecoder().decode(value), "ready\n");
    return new Instance(process);
  }

  get pid(): number {
    return this.#process.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It was killed already.
    }
    await this.#process.status;
  }
}

/** Counts ticks of three instances, kills the one that ticks, and sees another go on. */
async function proveOneTicks(broker: string, first: Instance, ticks: Ticks): Promise<void> {
  await using _first = first;
  const { queue } = ticks;
  await using second = await Instance.start(broker, queue);
  await using third = await Instance.start(broker, queue);
  while (ticks.waiting > 0) await ticks.next();
  const begin = (await ticks.next()).at;
  let last = begin;
  for (let count = 0; count < 15; count++) {
    const { pid, at } = await ticks.next();
    assert.equal(pid, first.pid);
    last = at;
  }
  assert.ok(last - begin > 1_300, `15 ticks at 100 ms took ${last - begin} ms`);
  await first[Symbol.asyncDispose]();
  const killed = performance.now();
  const heir = await ticks.find(({ pid }) => pid !== first.pid);
  assert.ok([second.pid, third.pid].includes(heir.pid));
  assert.ok(heir.at - killed < 5_000, `nobody ticked for ${heir.at - killed} ms`);
  for (let count = 0; count < 5; count++) assert.equal((await ticks.next()).pid, heir.pid);
}

Deno.test("timer() with once goes on in another process when the one that ticks is killed, over local:", async () => {
  const directory = await Deno.makeTempDir({ prefix: "enoki-" });
  const broker = `local://${directory}/broker.sock`;
  const queue = "enoki_test_ticks";
  {
    // Hosts the broker as well.
    const first = await Instance.start(broker, queue);
    await using ticks = await Ticks.open(local({ address: broker }), queue);
    await proveOneTicks(broker, first, ticks);
  }
  await Deno.remove(directory, { recursive: true });
});

brokerTest(
  "timer() with once goes on in another process when the one that ticks is killed, over amqp:",
  async (uri) => {
    const queue = `enoki_test_ticks_${crypto.randomUUID().slice(0, 8)}`;
    const transport = amqp(uri);
    await using ticks = await Ticks.open(transport, queue);
    await proveOneTicks(uri, await Instance.start(uri, queue), ticks);
    await transport.deleteQueue(`enoki.timer.enoki_test_single_${queue}.often`);
  },
);
