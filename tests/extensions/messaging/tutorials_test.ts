/** The examples as RabbitMQ's tutorials tell them, over memory and over a RabbitMQ of our own. */
import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { connect, type Connection, run, type Running } from "../../../extensions/run.ts";
import type { Transport } from "../../../runtime/message/transport.ts";
import { PrivateRabbitmq } from "../../fixtures/private_rabbitmq.ts";
import { LogWatch } from "./log_watch.ts";

/** Programs that share a broker. */
class Tutorial implements AsyncDisposable {
  readonly log: LogWatch = new LogWatch();
  readonly #open: () => Transport;
  readonly #ends: AsyncDisposable[] = [];

  constructor(open: () => Transport) {
    this.#open = open;
  }

  /** Serves one more instance of an example. */
  async serve(module: string): Promise<Running> {
    const path = new URL(`../../../examples/tutorials/${module}`, import.meta.url).pathname;
    const running = await run([path], { broker: this.#open(), threads: { kind: "web" } });
    this.#ends.push(running);
    return running;
  }

  async connect(): Promise<Connection> {
    const connection = await connect({ broker: this.#open() });
    this.#ends.push(connection);
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends.reverse()) await end[Symbol.asyncDispose]();
  }
}

const node = await PrivateRabbitmq.isInstalled() ? await PrivateRabbitmq.open() : undefined;
Deno.test.afterAll(() => node?.[Symbol.asyncDispose]());

const BROKERS: Readonly<Record<string, () => () => Transport>> = {
  memory: () => {
    const broker = new MemoryBroker();
    return () => memory({ broker });
  },
  amqp: () => () => amqp(node!.uri),
};

function tutorial(text: string, proof: (tutorial: Tutorial) => Promise<void>): void {
  for (const [kind, open] of Object.entries(BROKERS)) {
    Deno.test({
      name: `${kind}: ${text}`,
      ignore: kind === "amqp" && node === undefined,
      fn: async () => {
        await using stage = new Tutorial(open());
        await proof(stage);
      },
    });
  }
}

tutorial("hello: what is sent is received", async (stage) => {
  await stage.serve("hello/service.ts");
  await (await stage.connect()).client("hello").send!("Hello World!");
  const [line] = await stage.log.lines("received", 1);
  assert.equal(line?.properties?.text, "Hello World!");
});

tutorial("work_queue: workers share the tasks", async (stage) => {
  await stage.serve("work_queue/service.ts:boss");
  const boss = (await stage.connect()).client("boss");
  const tasks = Array.from({ length: 20 }, (_, index) => `task ${index}`);
  for (const task of tasks) await boss.assign!(task);
  await stage.serve("work_queue/service.ts:worker");
  await stage.serve("work_queue/service.ts:worker");
  const done = (await stage.log.lines("done", tasks.length)).map(({ properties }) => properties?.task);
  assert.deepEqual(done.toSorted(), tasks.toSorted());
});

tutorial("publish_subscribe: every receiver gets every line", async (stage) => {
  await stage.serve("publish_subscribe/service.ts:emitter");
  await stage.serve("publish_subscribe/service.ts:receiver");
  await stage.serve("publish_subscribe/service.ts:receiver");
  await (await stage.connect()).client("emitter").emit!("info: Hello World!");
  const lines = await stage.log.lines("received", 2);
  assert.deepEqual(lines.map(({ properties }) => properties?.line), new Array(2).fill("info: Hello World!"));
});

tutorial("routing: a queue gets the severities that it is bound by", async (stage) => {
  await stage.serve("routing/service.ts");
  const emitter = (await stage.connect()).client("severity_emitter");
  for (const severity of ["debug", "info", "error"]) await emitter.emit!(severity, `an ${severity}`);
  const shown = await stage.log.lines("shown", 2);
  assert.deepEqual(shown.map(({ properties }) => properties?.severity).toSorted(), ["error", "info"]);
  const kept = await stage.log.lines("kept", 1);
  assert.deepEqual(kept.map(({ properties }) => properties?.line), ["an error"]);
});

tutorial("topics: a queue gets the topics that its pattern fits", async (stage) => {
  await stage.serve("topics/service.ts");
  const emitter = (await stage.connect()).client("topic_emitter");
  for (const topic of ["cron.info", "kern.info", "cron.critical", "kern.critical"]) {
    await emitter.emit!(topic, "a line");
  }
  const critical = await stage.log.lines("critical", 2);
  assert.deepEqual(critical.map(({ properties }) => properties?.topic).toSorted(), [
    "cron.critical",
    "kern.critical",
  ]);
  const kernel = await stage.log.lines("from the kernel", 2);
  assert.deepEqual(kernel.map(({ properties }) => properties?.topic).toSorted(), [
    "kern.critical",
    "kern.info",
  ]);
});

tutorial("headers: a queue gets the documents whose headers fit all, or any", async (stage) => {
  await stage.serve("headers/service.ts");
  const archive = (await stage.connect()).client("archive");
  await archive.file!("both", "pdf", "report");
  await archive.file!("one", "zip", "letter");
  await archive.file!("none", "zip", "report");
  const readable = await stage.log.lines("readable", 2);
  assert.deepEqual(readable.map(({ properties }) => properties?.title).toSorted(), ["both", "one"]);
  const reports = await stage.log.lines("report", 1);
  assert.deepEqual(reports.map(({ properties }) => properties?.title), ["both"]);
});

tutorial("rpc: a request is answered to the queue that it names", async (stage) => {
  await stage.serve("rpc/server.ts");
  await stage.serve("rpc/client.ts");
  const client = (await stage.connect()).client("fibonacci_client");
  assert.deepEqual(await Promise.all([client.show!(10), client.show!(20)]), [55, 6765]);
  await assert.rejects(client.show!(-1), /RangeError Cannot compute fibonacci\(-1\)/);
});
