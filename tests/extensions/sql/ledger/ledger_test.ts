/**
 * 20,000 events go from a shop to a stock, while everything on their way is killed in turn: the processes of both (each
 * of which may relay), threads with their calls, the broker and the database. Each event must have one effect.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { connect } from "../../../../extensions/connect.ts";
import { amqp } from "../../../../extensions/amqp/mod.ts";
import { openDriver } from "../../../../extensions/sql/driver/open_driver.ts";
import { configureLogging } from "../../../../runtime/log/observe.ts";
import { PrivateDatabase } from "../../../fixtures/private_database.ts";
import { PrivateRabbitmq } from "../../../fixtures/private_rabbitmq.ts";
import { eventually } from "../effects/effects_stage.ts";
import { BATCH, type shop as shopService, type stock as stockService } from "./ledger_services.ts";

configureLogging({ write: () => {} });

const EVENTS = 20_000;

/** Batches that are placed at a time. */
const AT_A_TIME = 6;

const BATCHES = EVENTS / BATCH;

const PLACED = "evt-enoki_test_ledger_shop-placed--enoki_test_ledger_stock.placed";

/** An instance that is started again whenever it ends. */
class Instance implements AsyncDisposable {
  readonly #command: Deno.Command;
  #child: Deno.ChildProcess | undefined;
  #isEnding = false;
  readonly #ended: Promise<void>;

  constructor(broker: string, database: string, service: string) {
    const script = new URL("./ledger_process.ts", import.meta.url).pathname;
    this.#command = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--no-prompt", script, broker, database, service],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    this.#ended = this.#run();
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    this.kill();
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#isEnding) {
      this.#child = this.#command.spawn();
      await this.#child.status;
      this.#child = undefined;
    }
  }
}

Deno.test("20,000 events have one effect each, whatever is killed on their way", async (test) => {
  if (!await PrivateRabbitmq.isInstalled()) {
    // deno-lint-ignore no-console -- a skipped test must say so
    return console.warn("The ledger of effects is not kept: rabbitmq-server is not installed");
  }
  const [node, database] = await Promise.all([PrivateRabbitmq.open(), PrivateDatabase.open("postgres")]);
  await using _node = node;
  await using _database = database;
  if (database === undefined) return;
  const run = async (text: string) => {
    await using connection = await openDriver(database.uri).connect();
    return (await connection.query(text)).rows;
  };
  await run("create table batches (id int primary key)");
  await run("create table effects (id int not null)");

  await using shops = new AsyncDisposableStack();
  const instances = ["shop", "shop", "stock", "stock"].map((name) =>
    shops.use(new Instance(node.uri, database.uri, `enoki_test_ledger_${name}`))
  );
  await using cluster = await connect({ broker: node.uri, timeout: 4_000 });
  const shop = cluster.client<typeof shopService>("enoki_test_ledger_shop");
  const stock = cluster.client<typeof stockService>("enoki_test_ledger_stock");
  const isServed = async (name: string) =>
    await cluster.isServed(`enoki_test_ledger_${name}`).catch(() => false);
  await eventually("both are served", async () => await isServed("shop") && await isServed("stock"), 60_000);

  await using transport = amqp(node.uri);
  await transport.connect();
  await transport.declare({
    queues: [{ name: "witness" }],
    bindings: [{ queue: "witness", exchange: "enoki_test_ledger_shop.events", routingKey: "placed" }],
  });
  let next = 0;
  const place = async () => {
    while (next < BATCHES) {
      const id = next++;
      while (!await shop.place(id).then(() => true, () => false));
    }
  };
  const restart = async (server: PrivateRabbitmq | PrivateDatabase) => {
    await server.kill();
    await server.start();
  };
  const kills: readonly (() => unknown)[] = [
    () => instances[0]!.kill(),
    () => stock.die().catch(() => {}),
    () => restart(database),
    () => instances[2]!.kill(),
    async () => {
      await node.saveDeclarations();
      await restart(node);
    },
    () => stock.die().catch(() => {}),
    () => instances[1]!.kill(),
    () => restart(database),
    () => instances[3]!.kill(),
  ];
  const killAll = async () => {
    for (const [index, kill] of kills.entries()) {
      const due = BATCHES * (index + 1) / (kills.length + 1);
      await eventually(`${due} batches are placed`, () => Promise.resolve(next >= due), 60_000);
      await kill();
    }
  };
  await Promise.all([killAll(), ...Array.from({ length: AT_A_TIME }, place)]);
  const count = async (what: string) =>
    Number((await run(`select count(${what}) as count from effects`))[0]!["count"]);
  await eventually("all effects are there", async () => await count("distinct id") === EVENTS, 60_000);
  await eventually(
    "the outbox is empty",
    async () => (await run("select 1 from enoki_outbox limit 1")).length === 0,
  );
  await node.drained(PLACED);
  await test.step("none is missing", async () => strictEqual(await count("distinct id"), EVENTS));
  await test.step("none is there twice", async () => {
    deepStrictEqual(await run("select id from effects group by id having count(*) > 1"), []);
  });
  await test.step("the broker got each event at least once", async () => {
    const sent = await transport.countMessages("witness");
    ok(sent! >= EVENTS, `the broker got ${sent} events`);
  });
});
