/** The relay over RabbitMQ, in processes that are killed. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { amqp } from "../../../../extensions/amqp/mod.ts";
import { connect } from "../../../../extensions/connect.ts";
import { openDriver } from "../../../../extensions/sql/driver/open_driver.ts";
import { writeMessage } from "../../../../extensions/sql/outbox/outbox_writer.ts";
import { configureLogging } from "../../../../runtime/log/observe.ts";
import { brokerTest } from "../../../fixtures/broker.ts";
import { NAMEKO, namekoTest } from "../../../fixtures/nameko.ts";
import { NamekoWorld } from "../../../fixtures/nameko_world.ts";
import { SeverableProxy } from "../../../fixtures/severable_proxy.ts";
import { type SqlDatabase, SqlDatabases } from "../../../fixtures/sql_databases.ts";
import { Record } from "../../events/event_stage.ts";
import { eventually } from "./effects_stage.ts";
import type shopService from "./relayed_service.ts";

configureLogging({ write: () => {} });

/** A process with the shop. */
class Shop implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  #ended: Promise<unknown> | undefined;

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  static async start(broker: string, database: string, name: string): Promise<Shop> {
    const script = new URL("./relayed_process.ts", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--no-prompt", script, broker, database],
      env: { ENOKI_TEST_NAME: name },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.getReader();
    const { done } = await reader.read();
    await reader.cancel();
    strictEqual(done, false, "the process ended before it served");
    return new Shop(child);
  }

  /** Ends it as a power cut would. */
  kill(): Promise<unknown> {
    this.#child.kill("SIGKILL");
    return this.#ended ??= this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended === undefined) await this.kill();
  }
}

/** Commits an event of the shop, as a handler would. */
async function commit({ uri, dialect }: SqlDatabase, name: string, id: number): Promise<void> {
  await using connection = await openDriver(uri).connect();
  const message = {
    exchange: `${name}.events`,
    routingKey: "pool",
    body: JSON.stringify({ id }),
    properties: { contentType: "application/json", headers: {} },
  };
  await writeMessage(dialect, (...args) => connection.query(...args), name, message, undefined);
}

/** Listens to the events of the shop. Its end removes the queues of the test. */
async function listen(broker: string, name: string, queues: readonly string[] = []) {
  const heard = new Record<number>();
  const transport = amqp(broker);
  await transport.connect();
  const queue = `${name}.heard`;
  await transport.declare({
    exchanges: [{ name: `${name}.events`, type: "topic", autoDelete: true }],
    queues: [{ name: queue, autoDelete: true, durable: false }],
    bindings: [{ queue, exchange: `${name}.events`, routingKey: "pool" }],
  });
  await transport.consume(queue, ({ body }) => {
    heard.add(JSON.parse(new TextDecoder().decode(body)).id);
    return Promise.resolve("ack");
  }, { prefetch: 100 });
  return {
    heard,
    async [Symbol.asyncDispose]() {
      for (const each of [queue, `rpc-${name}`, ...queues]) await transport.deleteQueue(each);
      await transport.close();
    },
  };
}

const newName = () => `enoki_test_${crypto.randomUUID().slice(0, 8)}`;

brokerTest("another instance relays when the one that did so is killed", async (uri) => {
  await using databases = await SqlDatabases.open();
  for (const database of databases.all) {
    const name = newName();
    await using listener = await listen(uri, name);
    const { heard } = listener;
    await using first = await Shop.start(uri, database.uri, name);
    await commit(database, name, 1);
    await heard.reaches(1);
    await using _second = await Shop.start(uri, database.uri, name);
    await commit(database, name, 2);
    await heard.reaches(2);
    const isEmpty = async () => (await database.run("select 1 from enoki_outbox")).length === 0;
    // One that is killed before would send its last event again by the other.
    await eventually("the outbox is empty", isEmpty);
    await first.kill();
    await commit(database, name, 3);
    deepStrictEqual(await heard.reaches(3), [1, 2, 3]);
  }
});

/** A database for one test. */
async function sqlite() {
  const folder = await Deno.makeTempDir({ prefix: "enoki-sqlite-" });
  const uri = `sqlite:///${folder}/test.db`;
  return {
    database: { uri, dialect: "sqlite" } as SqlDatabase,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

brokerTest("what is committed while the broker is away is sent when it is back, in order", async (uri) => {
  const name = newName();
  await using place = await sqlite();
  const { database } = place;
  await using listener = await listen(uri, name);
  await using proxy = await SeverableProxy.open(uri);
  await using _shop = await Shop.start(proxy.uri, database.uri, name);
  await commit(database, name, 0);
  await listener.heard.reaches(1);
  proxy.down = true;
  await proxy.sever();
  for (let id = 1; id <= 5; id++) await commit(database, name, id);
  proxy.down = false;
  // What was under way when the connection was lost may come twice.
  await eventually("all are heard", () => Promise.resolve(new Set(listener.heard.all).size === 6));
  deepStrictEqual([...new Set(listener.heard.all)], [0, 1, 2, 3, 4, 5]);
});

namekoTest("Nameko's handlers get the events that were relayed", async (uri) => {
  const prefix = newName();
  const name = `${prefix}_source`;
  await using place = await sqlite();
  const handling = `${prefix}_handling`;
  await using listener = await listen(uri, name, [`evt-${name}-pool--${handling}.take`]);
  await using python = await NamekoWorld.start(NAMEKO, uri);
  await python.eval("serve('event_listener', handling, name, [['take', 'pool', {}]])", { handling, name });
  await using _shop = await Shop.start(uri, place.database.uri, name);
  await using cluster = await connect({ broker: uri });
  await cluster.client<typeof shopService>(name as "enoki_test_relayed").place(7);
  await listener.heard.reaches(1);
  deepStrictEqual(await python.eval("next_received()[2]"), { id: 7 });
});
