/** What the bodies of messages may be: serializers, compressions, numbers, keyword arguments, errors by class. */
import assert from "node:assert/strict";
import { amqp } from "../../extensions/amqp/mod.ts";
import { rpcTopology } from "../../extensions/rpc/topology.ts";
import { DEFAULT_EXCHANGE } from "../../extensions/rpc/settings.ts";
import { messagepack } from "../../extensions/messagepack/mod.ts";
import { connect, run } from "../../extensions/run.ts";
import { BadRequestError, MethodNotFoundError, RemoteError } from "../../mod.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import { NamekoProcess, namekoTest } from "../fixtures/nameko.ts";
import { RUN } from "../fixtures/run_name.ts";

configureLogging({ write: () => {} });

const PREFIX = `enoki_test_payloads${RUN}`;
const MODULE = new URL("../fixtures/services/payloads.ts", import.meta.url);
const QUEUES = [
  `${PREFIX}_jobs`,
  `evt-${PREFIX}_python-said--${PREFIX}_ours.got`,
  `enoki.dead.${PREFIX}_jobs`,
];

interface Relayed {
  readonly result?: unknown;
  readonly repr?: string;
  readonly class?: string;
  readonly text?: string;
}

async function sweep(uri: string): Promise<void> {
  const { queueOf } = rpcTopology(DEFAULT_EXCHANGE);
  await using transport = amqp(uri);
  await transport.connect();
  const services = ["ours", "refusing", "python"].map((name) => queueOf(`${PREFIX}_${name}`));
  for (const name of [...services, ...QUEUES]) await transport.deleteQueue(name);
}

namekoTest("Nameko and Enoki understand each other's payloads", async (uri, t) => {
  await sweep(uri);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => sweep(uri));
  // What the handlers have got is the state of one thread.
  const config = { ACCEPT: ["json", "msgpack"], max_workers: 1, concurrency: 100 };
  const threads = { permissions: { env: ["ENOKI_TEST_RUN"] } };
  stack.use(await run([`${MODULE.pathname}:${PREFIX}_ours`], { broker: uri, config, threads }));
  stack.use(await run([`${MODULE.pathname}:${PREFIX}_refusing`], { broker: uri, threads }));
  stack.use(await NamekoProcess.start("payloads.py", uri, PREFIX));
  const cluster = stack.use(await connect({ broker: uri, timeout: 20_000 }));
  const python = cluster.client(`${PREFIX}_python`);
  const ours = cluster.client(`${PREFIX}_ours`);
  const relay = async (...args: readonly unknown[]) => await python["relay"]!(...args) as Relayed;
  const said = async () => await ours["next"]!();
  const value = { text: "grüße \u{1F344}", list: [1, -2.5, null, true], nested: { empty: {} } };

  await t.step("requests that kombu has compressed with gzip and bzip2 are read", async () => {
    for (const compression of ["gzip", "bzip2"]) {
      assert.deepEqual((await relay(compression, "echo", [value])).result, value);
      assert.equal((await relay(compression, "measure", ["é".repeat(300_000)])).result, 300_000);
    }
  });

  await t.step("requests of kombu's msgpack are answered in msgpack, compressed or not", async () => {
    for (const proxy of ["msgpack", "packed"]) {
      assert.deepEqual((await relay(proxy, "echo", [value])).result, value);
    }
    const failed = await relay("msgpack", "fail", ["boom"]);
    assert.deepEqual([failed.class, failed.text], ["RemoteError", "NotFound boom"]);
    assert.equal((await relay("msgpack", "absent")).class, "MethodNotFound");
    assert.equal((await relay("msgpack", "echo")).class, "IncorrectSignature");
  });

  await t.step("requests of a content type that ACCEPT does not name are refused, and answered", async () => {
    const refused = await relay("refused", "echo", [1]);
    assert.equal(refused.class, "MalformedRequest");
    assert.match(
      refused.text!,
      /content type "application\/x-msgpack": the accepted types are application\/json/,
    );
  });

  await t.step("a client's serializer, compression, priority, expiration and mode reach Nameko", async () => {
    const options = { priority: 3, expiration: 15_000, deliveryMode: 1 } as const;
    for (
      const client of [
        python["echo"]!.with({ serializer: messagepack, ...options }),
        python["echo"]!.with({ compression: "gzip", ...options }),
        python["echo"]!.with({ serializer: messagepack, compression: "gzip" }),
      ]
    ) assert.deepEqual(await client(value), value);
    const packed = cluster.client(`${PREFIX}_python`, { serializer: messagepack });
    await assert.rejects(packed["absent"]!(), MethodNotFoundError);
    await assert.rejects(packed["find"]!(1), { name: "RemoteError", message: "NotFound no order 1" });
  });

  await t.step("events that kombu has compressed are read, and so are those of msgpack", async () => {
    for (const dispatcher of ["gzip", "bzip2", "msgpack"]) {
      await python["emit"]!(dispatcher, "said", { by: dispatcher });
      assert.deepEqual(await said(), { by: dispatcher });
    }
  });

  await t.step("NaN and Infinity of Nameko are read, and never written as null", async () => {
    const given = await python["give"]!('[float("nan"), float("inf"), -float("inf")]');
    assert.deepEqual(given, [NaN, Infinity, -Infinity]);
    for (const number of [NaN, Infinity, -Infinity]) {
      await assert.rejects(async () => await python["show"]!([number]), {
        name: "TypeError",
        message: /JSON has no/,
      });
    }
  });

  await t.step("integers beyond 2⁵³ keep their digits with bigints, and are refused without", async () => {
    const large = 12345678901234567890123n;
    const exact = { bigints: true };
    assert.equal(await python["give"]!.with(exact)(String(large)), large);
    assert.equal(await python["show"]!.with(exact)(large), String(large));
    assert.deepEqual(await ours["exact"]!.with(exact)(large), ["bigint", large]);
    assert.deepEqual(await ours["exact"]!(7), ["number", 7]);
    await assert.rejects(python["give"]!(String(large)), {
      remoteName: "MalformedResponse",
      message: /Set bigints: true/,
    });
    await assert.rejects(async () => await python["show"]!(large), {
      name: "TypeError",
      message: /Set bigints: true/,
    });
    await assert.rejects(ours["echo"]!.with(exact)(large), (error: Error) => {
      assert.ok(error instanceof BadRequestError);
      assert.equal(error.reason, "MalformedRequest");
      assert.match(error.message, /integer 12345678901234567890123\. Set bigints: true/);
      return true;
    });
  });

  await t.step("integers of 64 bits keep their digits in msgpack, too", async () => {
    const exact = { bigints: true };
    const large = 2n ** 63n + 1n;
    const { result } = await python["relay"]!.with(exact)("msgpack", "exact", [large]) as Relayed;
    assert.deepEqual(result, ["bigint", large]);
    const packed = { ...exact, serializer: messagepack };
    assert.deepEqual(await python["echo"]!.with(packed)([large, 5]), [large, 5]);
    await assert.rejects(python["give"]!.with({ serializer: messagepack })("2 ** 60"), /Set bigints: true/);
  });

  await t.step("messages of Nameko with such integers reach a handler with bigints", async () => {
    await python["send"]!(`${PREFIX}_jobs`, "2 ** 63");
    assert.deepEqual(await said(), { kind: "BigInt", text: "9223372036854775808" });
  });

  await t.step("Nameko's keyword arguments reach a destructured parameter", async () => {
    assert.deepEqual((await relay("plain", "list", ["a"], { limit: 2 })).result, ["a", 2, 1]);
    assert.deepEqual((await relay("plain", "list", [], { page: 3, a: "a", limit: 2 })).result, ["a", 2, 3]);
    const missing = await relay("plain", "list", ["a"]);
    assert.deepEqual([missing.class, missing.text], [
      "IncorrectSignature",
      "list() missing 1 required keyword-only argument: 'limit'",
    ]);
    assert.equal((await relay("plain", "list", ["a"], { limit: 1, zz: 2 })).class, "IncorrectSignature");
    assert.deepEqual(await python["keyword_only"]!.kwargs({ limit: 2 }, "a"), ["a", 2, 1]);
  });

  await t.step("dates and bytes in context data reach threads and Nameko, and go on from there", async () => {
    const when = new Date("2026-11-28T21:20:34Z");
    const data = { when, bytes: new Uint8Array([0, 255, 7]), inner: { list: [when, new Uint8Array([9])] } };
    const types = await python["context_types"]!.with({ headers: data })() as Record<string, string>;
    assert.equal(
      types["when"],
      "datetime: datetime.datetime(2026, 11, 28, 21, 20, 34)",
    );
    assert.equal(types["bytes"], "bytes: b'\\x00\\xff\\x07'");
    const forward = await ours["forward_context"]!.with({ headers: data })() as Record<
      "here" | "there",
      Record<string, string>
    >;
    assert.deepEqual([forward.here["when"], forward.here["bytes"]], ["Date", "Uint8Array"]);
    assert.equal(forward.there["when"], types["when"]);
    assert.equal(forward.there["bytes"], types["bytes"]);
    assert.equal(forward.there["inner"], types["inner"]);
    const relayed = await python["relay_context"]!(
      '{"when": datetime.datetime(2026, 11, 28, tzinfo=datetime.timezone.utc), "text": b"abc"}',
    ) as typeof forward;
    assert.equal(relayed.here["when"], "Date");
    assert.match(relayed.there["when"]!, /^datetime: datetime\.datetime\(2026, 11, 28, 0, 0/);
    // Python writes bytes as text.
    assert.equal(relayed.there["text"], "str: 'abc'");
  });

  await t.step("exceptions of Nameko come back as classes that a handler has registered", async () => {
    assert.equal(await ours["find"]!(), "known: no order 7");
    await assert.rejects(python["find"]!(7), RemoteError);
  });
});
