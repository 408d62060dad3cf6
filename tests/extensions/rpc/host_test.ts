import { Metrics } from "../../../runtime/telemetry/metrics.ts";
import { DEFAULT_EXCHANGE } from "../../../extensions/rpc/settings.ts";
import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { RpcHost } from "../../../extensions/rpc/host.ts";
import { replyHeaders } from "../../../extensions/rpc/least_times.ts";
import { rpcTopology } from "../../../extensions/rpc/topology.ts";
import { configureLogging, getLog } from "../../../runtime/log/observe.ts";
import type { MessageProperties } from "../../../runtime/message/transport.ts";
import { serveInMemory } from "../../fixtures/serve_in_memory.ts";
import { SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";

const WAITING = "enoki_test_waiting";

const lines: string[] = [];
configureLogging({ write: (line) => void lines.push(line) });

/** Sends raw messages to a service's request queue, and collects replies. */
async function rawCaller(broker: MemoryBroker) {
  const transport = memory({ broker });
  await transport.connect();
  const { exchange, caller, replyQueueOf } = rpcTopology(DEFAULT_EXCHANGE);
  await transport.declare(caller("raw", "raw-id"));
  const replies: unknown[] = [];
  const headers: unknown[] = [];
  const waiting: ((reply: unknown) => void)[] = [];
  await transport.consume(replyQueueOf("raw", "raw-id"), ({ body, properties }) => {
    headers.push(properties.headers);
    const reply = JSON.parse(new TextDecoder().decode(body));
    const next = waiting.shift();
    if (next === undefined) replies.push(reply);
    else next(reply);
    return Promise.resolve("ack");
  }, { prefetch: 100 });
  const send = (routingKey: string, body: string | Uint8Array, properties: MessageProperties) =>
    transport.publish({ exchange, routingKey, body, properties, mandatory: true });
  const ask = async (
    body: string | Uint8Array,
    properties: MessageProperties = { contentType: "application/json" },
    routingKey = `${WAITING}.echo`,
  ) => {
    const reply = new Promise<{ readonly error: { readonly exc_type: string } | null }>((resolve) =>
      waiting.push((reply) => resolve(reply as { readonly error: { readonly exc_type: string } | null }))
    );
    await send(routingKey, body, { ...properties, replyTo: "raw-id" });
    return await reply;
  };
  return { transport, headers, send, ask, [Symbol.asyncDispose]: () => transport.close() };
}

for (
  const [text, body, properties, error] of [
    [
      "a foreign content type",
      '{"args": [1], "kwargs": {}}',
      { contentType: "text/plain" },
      "MalformedRequest",
    ],
    ["no content type", '{"args": [1], "kwargs": {}}', {}, "MalformedRequest"],
    ["what is not UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), undefined, "MalformedRequest"],
    ["what is not JSON", "{args: [1]", undefined, "MalformedRequest"],
    ["no object", "[1]", undefined, "MalformedRequest"],
    ["no args", '{"kwargs": {}}', undefined, "MalformedRequest"],
    ["no kwargs", '{"args": []}', undefined, "MalformedRequest"],
    ["args that are no array", '{"args": "ab", "kwargs": {}}', undefined, "MalformedRequest"],
    ["kwargs that are no object", '{"args": [], "kwargs": []}', undefined, "MalformedRequest"],
    ["too many args", '{"args": [1, 2], "kwargs": {}}', undefined, "IncorrectSignature"],
  ] as const
) {
  Deno.test(`RpcHost answers a request with ${text}, and serves on`, async () => {
    const broker = new MemoryBroker();
    await using _running = await serveInMemory(broker, ["waiting.ts"]);
    await using caller = await rawCaller(broker);
    assert.equal((await caller.ask(body, properties)).error?.exc_type, error);
    assert.deepEqual(await caller.ask('{"args": [1], "kwargs": {}}'), { result: 1, error: null });
  });
}

Deno.test("RpcHost reads JSON with a byte order mark, and a content type with parameters and capital letters", async () => {
  const broker = new MemoryBroker();
  await using _running = await serveInMemory(broker, ["waiting.ts"]);
  await using caller = await rawCaller(broker);
  const body = '\ufeff{"args": [1], "kwargs": {}}';
  for (const contentType of ["application/json; charset=utf-8", "Application/JSON"]) {
    assert.deepEqual(await caller.ask(body, { contentType }), { result: 1, error: null });
  }
  const { error } = await caller.ask(body, { contentType: "application/json; charset=latin1" });
  assert.equal(error?.exc_type, "MalformedRequest");
});

Deno.test("RpcHost says in its replies how long the method takes", async () => {
  const broker = new MemoryBroker();
  await using transport = memory({ broker });
  await transport.connect();
  const entry = { index: 0, method: "slow", kind: "rpc", options: {}, timeout: undefined };
  await using host = new RpcHost([entry], {
    service: "enoki_test_slow",
    transport,
    config: {},
    log: getLog(),
    signal: new AbortController().signal,
    demand: 1,
    onDemand: () => {},
    metrics: new Metrics(),
    clock: SYSTEM_CLOCK,
    shed: () => {},
    least: ({ method }) => method === "slow" ? 100 : 0,
    watch: () => {},
    run: () => Promise.resolve({ status: "done", body: "null" }),
  }, DEFAULT_EXCHANGE);
  await host.setup();
  await host.start();
  await using caller = await rawCaller(broker);
  const request = '{"args": [], "kwargs": {}}';
  for (const method of ["slow", "absent"]) await caller.ask(request, undefined, `enoki_test_slow.${method}`);
  assert.deepEqual(caller.headers, [replyHeaders(100), {}]);
  await host.stop();
});

Deno.test("RpcHost answers a request for a method that is not there with MethodNotFound", async () => {
  const broker = new MemoryBroker();
  await using _running = await serveInMemory(broker, ["waiting.ts"]);
  await using caller = await rawCaller(broker);
  const properties = { contentType: "application/json" };
  const { error } = await caller.ask('{"args": [], "kwargs": {}}', properties, `${WAITING}.absent`);
  assert.deepEqual(error, {
    exc_type: "MethodNotFound",
    exc_path: "nameko.exceptions.MethodNotFound",
    exc_args: ["absent"],
    value: "absent",
    code: "METHOD_NOT_FOUND",
    data: { method: "absent" },
  });
});

Deno.test("RpcHost buries a request that says nobody to answer, and serves on", async () => {
  const broker = new MemoryBroker();
  await using _running = await serveInMemory(broker, ["waiting.ts"]);
  await using caller = await rawCaller(broker);
  await caller.send(`${WAITING}.echo`, '{"args": [1], "kwargs": {}}', { contentType: "application/json" });
  assert.deepEqual(await caller.ask('{"args": [2], "kwargs": {}}'), { result: 2, error: null });
  assert.ok(lines.some((line) => line.includes("it has no reply_to")));
  assert.equal(await caller.transport.countMessages(`enoki.dead.rpc-${WAITING}`), 1);
});

Deno.test("RpcHost answers a request whose deadline has passed, without running it", async () => {
  const broker = new MemoryBroker();
  await using _running = await serveInMemory(broker, ["waiting.ts"]);
  await using caller = await rawCaller(broker);
  for (
    const headers of [
      { "nameko.enoki_timeout": "0" },
      { "nameko.enoki_deadline": String(Date.now() - 1_000) },
    ]
  ) {
    const { error } = await caller.ask('{"args": [1], "kwargs": {}}', {
      contentType: "application/json",
      headers,
    });
    assert.equal(error?.exc_type, "CallTimeoutError");
  }
});

Deno.test("RpcHost runs a request with time left, whatever the clock of its sender says", async () => {
  const broker = new MemoryBroker();
  await using _running = await serveInMemory(broker, ["waiting.ts"]);
  await using caller = await rawCaller(broker);
  const headers = { "nameko.enoki_timeout": "5000", "nameko.enoki_deadline": String(Date.now() - 60_000) };
  const reply = await caller.ask('{"args": [1], "kwargs": {}}', { contentType: "application/json", headers });
  assert.deepEqual(reply, { result: 1, error: null });
});

Deno.test("RpcHost survives headers that make no sense", async () => {
  const broker = new MemoryBroker();
  await using _running = await serveInMemory(broker, ["waiting.ts"]);
  await using caller = await rawCaller(broker);
  const headers = {
    "nameko.call_id_stack": { a: 1 },
    "nameko.enoki_deadline": "soon",
    "": null,
    plain: [null, 1.5],
  };
  const reply = await caller.ask('{"args": [1], "kwargs": {}}', { contentType: "application/json", headers });
  assert.deepEqual(reply, { result: 1, error: null });
});
