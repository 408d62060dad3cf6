import assert from "node:assert/strict";
import { local } from "../../extensions/local/mod.ts";
import { bury } from "../../runtime/hosting/message_fate.ts";
import type { Transport } from "../../runtime/message/transport.ts";
import { brokerTest } from "../fixtures/broker.ts";
import { answerTo, type Ended, enoki, SERVICES, withBroker, withService } from "./command.ts";

const TWO = `${SERVICES}two_services.ts`;

const LIMITS = /^Only queues of services that run are known: .*AMQP_MANAGEMENT_URI/m;

async function buryOne(transport: Transport, queue: string): Promise<void> {
  const { signal } = new AbortController();
  await bury(
    { transport, queue, signal },
    { exchange: "", routingKey: queue, redelivered: false, signal, body: new Uint8Array(), properties: {} },
    "undecodable",
    { name: "Error", message: "boom", code: "ERROR", retryable: false },
  );
}

/** Runs a test while the services answer, with a transport to their broker. */
function withLive(test: (broker: string, transport: Transport) => Promise<void>): Promise<void> {
  return withService(TWO, async (broker) => {
    await answerTo(broker);
    await using transport = local({ address: broker });
    await transport.connect();
    await test(broker, transport);
  });
}

Deno.test("enoki queues lists the queues of services that run, and their dead letters, and says what is missing", () =>
  withLive(async (broker, transport) => {
    await buryOne(transport, "rpc-stock");
    const { status, out, err } = await enoki(["queues", "--broker", broker]);
    assert.equal(status, 0);
    assert.deepEqual(out.split("\n").map((line) => line.split(/ {2,}/)), [
      ["QUEUE", "MESSAGES", "UNACKED", "CONSUMERS", "SERVED BY"],
      ["enoki.dead.rpc-stock", "1", "-", "-", "-"],
      ["rpc-orders", "0", "-", "-", "orders"],
      ["rpc-stock", "0", "-", "-", "stock"],
      [""],
    ]);
    assert.match(err, LIMITS);
    const { out: json } = await enoki(["queues", "--json", "--broker", broker]);
    assert.deepEqual(JSON.parse(json)[2], {
      name: "rpc-stock",
      messages: 0,
      services: ["stock"],
      served: true,
    });
  }));

Deno.test("enoki dead list without a queue lists the queues that have dead messages", () =>
  withLive(async (broker, transport) => {
    const dead = () => enoki(["dead", "list", "--broker", broker]);
    assert.match((await dead()).err, /^No queue has dead messages\n/);
    await buryOne(transport, "rpc-stock");
    const { status, out, err } = await dead();
    assert.deepEqual([status, out], [0, "QUEUE      DEAD\nrpc-stock     1\n"]);
    assert.match(err, LIMITS);
  }));

Deno.test("enoki describe shows a service that runs, with its processes", () =>
  withLive(async (broker) => {
    const { status, out, err } = await enoki(["describe", "--broker", broker, "orders", "stock"]);
    assert.deepEqual([status, err], [0, ""]);
    const process = String.raw`  runs at  \S+  ${Deno.pid}  [\da-f]{8}  for \d+s  in process \d+\n`;
    assert.match(
      out,
      new RegExp(
        String
          .raw`^orders\n  rpc  place\(sku, express\)\n  needs log\n${process}\nstock\n  rpc  count\n${process}$`,
      ),
    );
    const { out: json } = await enoki(["describe", "--json", "--broker", broker, "stock"]);
    const [{ instances, ...manifest }, ...others] = JSON.parse(json);
    assert.deepEqual(others, []);
    assert.deepEqual(manifest, {
      name: "stock",
      entrypoints: [{ method: "count", kind: "rpc", options: {} }],
      dependencies: [],
      queues: ["rpc-stock"],
    });
    assert.equal(instances[0].pid, Deno.pid);
  }));

Deno.test("enoki describe fails with 3 where no service of that name answers, and with 2 where it cannot help", () =>
  withBroker(async (broker) => {
    const { status, err } = await enoki(["describe", "--broker", broker, "nobody"]);
    assert.equal(status, 3);
    assert.match(
      err,
      /^Cannot describe "nobody": no process that serves it answers at local:.*no such file\. Services of Python's /,
    );
    const besideFile = await enoki(["describe", "--broker", broker, "mod"]);
    assert.equal(besideFile.status, 3);
    assert.match(besideFile.err, /^Cannot describe "mod": .* no such file\. Did you mean mod\.ts\?\n$/);
    assert.equal((await enoki(["describe", "--broker", broker, "--openapi", "nobody"])).status, 3);
    assert.equal((await enoki(["describe", "nobody", TWO])).status, 2);
  }));

brokerTest("enoki queues deletes and purges queues, and asks for --yes", async (uri) => {
  const queue = `enoki_test_${crypto.randomUUID()}`;
  const { amqp } = await import("../../extensions/amqp/mod.ts");
  await using transport = amqp(uri);
  await transport.connect();
  await transport.declare({ queues: [{ name: queue }] });
  const messages = { exchange: "", routingKey: queue, body: "", properties: {} };
  await Promise.all([1, 2, 3].map(() => transport.publish(messages)));
  const queues = (...argv: string[]): Promise<Ended> => enoki(["queues", ...argv, "--broker", uri]);
  const { status, err } = await queues("purge", queue);
  assert.equal(status, 2);
  assert.equal(err, `This would delete 3 messages of queue "${queue}" for good. Confirm with --yes\n`);
  assert.equal(await transport.countMessages(queue), 3);
  assert.equal((await queues("purge", queue, "--yes")).err, `Deleted 3 messages of queue "${queue}"\n`);
  assert.equal(await transport.countMessages(queue), 0);
  assert.equal((await queues("delete", queue)).status, 2);
  assert.equal((await queues("delete", "--yes", queue)).err, `Deleted queue "${queue}" with 0 messages\n`);
  assert.equal(await transport.countMessages(queue), undefined);
  assert.match(
    (await queues("delete", "--yes", queue)).err,
    /^Cannot delete queue ".*": there is none at amqp:/,
  );
});

/** What the management plugin of RabbitMQ answers. */
const LISTED = [
  { name: "rpc-gone", messages_ready: 4, messages_unacknowledged: 0, consumers: 0 },
  { name: "rpc-python", messages_ready: 0, messages_unacknowledged: 1, consumers: 2 },
  { name: "enoki.dead.jobs", messages_ready: 3, messages_unacknowledged: 0, consumers: 0 },
  { name: "enoki.control.x", messages_ready: 0, messages_unacknowledged: 0, consumers: 1 },
  { name: "rpc.reply-x", messages_ready: 0, messages_unacknowledged: 0, consumers: 1 },
  { name: 7 },
];

/** Runs a test with a server in the place of the management plugin. */
async function withManagement(
  answer: (request: Request) => Response,
  test: (uri: string) => Promise<void>,
): Promise<void> {
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, answer);
  await test(`http://me:s%40cret@127.0.0.1:${server.addr.port}`);
}

brokerTest(
  "enoki queues lists what the management plugin lists, and who serves nothing any more",
  (uri) =>
    withManagement((request) => {
      const { pathname } = new URL(request.url);
      assert.equal(pathname, "/api/queues/%2F");
      assert.equal(request.headers.get("authorization"), `Basic ${btoa("me:s@cret")}`);
      return Response.json(LISTED);
    }, async (management) => {
      const flags = [
        "--broker",
        uri.replace(/\/[^/@]*$/, ""),
        "--define",
        `AMQP_MANAGEMENT_URI=${management}`,
      ];
      const { status, out, err } = await enoki(["queues", ...flags]);
      assert.deepEqual([status, err], [0, ""]);
      assert.deepEqual(out.split("\n").map((line) => line.split(/ {2,}/)), [
        ["QUEUE", "MESSAGES", "UNACKED", "CONSUMERS", "SERVED BY"],
        ["enoki.dead.jobs", "3", "0", "0", "-"],
        ["rpc-gone", "4", "0", "0", "nobody"],
        ["rpc-python", "0", "1", "2", "others"],
        [""],
      ]);
      assert.equal((await enoki(["dead", "list", ...flags])).out, "QUEUE  DEAD\njobs      3\n");
    }),
);

brokerTest(
  "enoki queues fails with 3 where the management plugin fails that is named, without its password",
  (uri) =>
    withManagement(() => new Response("", { status: 401 }), async (management) => {
      const { status, err } = await enoki([
        "queues",
        "--broker",
        uri,
        "--define",
        `AMQP_MANAGEMENT_URI=${management}`,
      ]);
      assert.equal(status, 3);
      assert.match(err, /^Cannot list the queues with the management plugin at http:\/\/127.*status 401/);
      assert.doesNotMatch(err, /cret/);
    }),
);
