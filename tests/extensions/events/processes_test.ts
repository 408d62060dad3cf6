import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { connect } from "../../../extensions/run.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import type { Transport } from "../../../runtime/message/transport.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { Record } from "./event_stage.ts";

configureLogging({ write: () => {} });

const EVENTS = 10_000;

/** Milliseconds; a busy machine needs more than the few seconds that this takes. */
const PATIENCE = 120_000;

/** An instance of the counting service in a process of its own. */
class Instance implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  #ended: Promise<unknown> | undefined;

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  static async start(broker: string, prefix: string): Promise<Instance> {
    const script = new URL("./counting_process.ts", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--no-prompt", script, broker],
      env: { ENOKI_TEST_PREFIX: prefix },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.getReader();
    const { done } = await reader.read();
    await reader.cancel();
    assert.equal(done, false, "the process ended before it served");
    return new Instance(child);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Ends it politely. */
  stop(): Promise<unknown> {
    return this.#ended ??= (async () => {
      await this.#child.stdin.close();
      const { code } = await this.#child.status;
      assert.equal(code, 0);
    })();
  }

  /** Ends it as a power cut would. */
  kill(): Promise<unknown> {
    return this.#ended ??= (async () => {
      this.#child.kill("SIGKILL");
      await this.#child.stdin.close().catch(() => {});
      await this.#child.status;
    })();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill().then(() => {});
  }
}

/** Two instances of the counting service, what they report, and a way to send them events. */
class Cluster implements AsyncDisposable {
  readonly reports = new Record<string>();
  readonly instances: readonly [Instance, Instance];
  readonly #uri: string;
  readonly #prefix: string;
  readonly #transport: Transport;

  constructor(uri: string, prefix: string, transport: Transport, instances: readonly [Instance, Instance]) {
    this.#uri = uri;
    this.#prefix = prefix;
    this.#transport = transport;
    this.instances = instances;
  }

  static async open(uri: string): Promise<Cluster> {
    const prefix = `enoki_test_${crypto.randomUUID().slice(0, 8)}`;
    const transport = amqp(uri);
    await transport.connect();
    await transport.declare({ queues: [{ name: `${prefix}_reports` }] });
    const instances = await Promise.all([Instance.start(uri, prefix), Instance.start(uri, prefix)]);
    const cluster = new Cluster(uri, prefix, transport, [instances[0]!, instances[1]!]);
    await transport.consume(`${prefix}_reports`, ({ body }) => {
      cluster.reports.add(new TextDecoder().decode(body));
      return Promise.resolve("ack");
    }, { prefetch: 1_000 });
    return cluster;
  }

  async dispatchAll(): Promise<void> {
    await using connection = await connect({ broker: this.#uri });
    for (let first = 0; first < EVENTS; first += 1_000) {
      await Promise.all(Array.from(
        { length: 1_000 },
        (_, index) => connection.dispatch(`${this.#prefix}_source`, "n", first + index),
      ));
    }
  }

  /** How often each number was handled, by what `keyOf` makes of process and method. */
  counts(keyOf: (pid: number, method: string) => string | undefined): Map<string, Map<number, number>> {
    const counts = new Map<string, Map<number, number>>();
    for (const report of this.reports.all) {
      const [pid, method, n] = report.split(" ");
      const key = keyOf(Number(pid), method!);
      if (key === undefined) continue;
      const numbers = counts.get(key) ?? new Map<number, number>();
      numbers.set(Number(n), (numbers.get(Number(n)) ?? 0) + 1);
      counts.set(key, numbers);
    }
    return counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const instance of this.instances) await instance.kill();
    const source = `evt-${this.#prefix}_source-n`;
    for (const queue of [source, `${source}--${this.#prefix}_counter.pool`, `${this.#prefix}_reports`]) {
      await this.#transport.deleteQueue(queue);
    }
    await this.#transport.close();
  }
}

brokerTest("10,000 events reach two processes exactly as often as their delivery says", async (uri) => {
  await using cluster = await Cluster.open(uri);
  await cluster.dispatchAll();
  await cluster.reports.reaches(4 * EVENTS, PATIENCE);
  for (const instance of cluster.instances) await instance.stop();
  assert.equal(cluster.reports.all.length, 4 * EVENTS);
  const counts = cluster.counts((pid, method) => method === "broadcast" ? `${method} ${pid}` : method);
  const [a, b] = cluster.instances.map(({ pid }) => `broadcast ${pid}`);
  assert.deepEqual([...counts.keys()].toSorted(), [a!, b!, "pool", "singleton"].toSorted());
  for (const numbers of counts.values()) {
    assert.equal(numbers.size, EVENTS);
    assert.ok([...numbers.values()].every((count) => count === 1));
  }
  const shares = cluster.counts((pid, method) => method === "pool" ? `${pid}` : undefined);
  assert.equal(shares.size, 2, "both instances have had a share");
});

brokerTest("no reliable event is lost with an instance that is killed at work", async (uri) => {
  await using cluster = await Cluster.open(uri);
  const [victim, survivor] = cluster.instances;
  const dispatched = cluster.dispatchAll();
  await cluster.reports.reaches(EVENTS / 2, PATIENCE);
  await victim.kill();
  const missing = () => {
    const counts = cluster.counts((pid, method) =>
      method !== "broadcast" ? method : pid === survivor.pid ? method : undefined
    );
    return ["pool", "singleton", "broadcast"].map((method) => EVENTS - (counts.get(method)?.size ?? 0));
  };
  await dispatched;
  while (missing().some((count) => count > 0)) {
    await cluster.reports.reaches(cluster.reports.all.length + Math.max(1, ...missing()), PATIENCE);
  }
  assert.deepEqual(missing(), [0, 0, 0]);
});
