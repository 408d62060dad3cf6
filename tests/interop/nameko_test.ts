/** Services in threads in a chain with Nameko's, and what is on the wire between them. */
import assert from "node:assert/strict";
import { amqp } from "../../extensions/amqp/mod.ts";
import { DEFAULT_EXCHANGE } from "../../extensions/rpc/settings.ts";
import { rpcTopology } from "../../extensions/rpc/topology.ts";
import { connect, type Connection, run } from "../../extensions/run.ts";
import { BrokerError } from "../../runtime/message/errors.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import type { Delivery, MessageProperties, Transport } from "../../runtime/message/transport.ts";
import { type NamekoAnswer, type NamekoCall, NamekoProcess, namekoTest } from "../fixtures/nameko.ts";
import { RUN } from "../fixtures/run_name.ts";
import { servicePath } from "../fixtures/serve_in_memory.ts";
import { traceIdOf } from "../../runtime/telemetry/trace.ts";

/** Each call names a span of its own. */
function withoutTrace({ traceparent: _, ...headers }: Readonly<Record<string, unknown>>) {
  return headers;
}

configureLogging({ write: () => {} });

const OURS = `enoki_test_interop${RUN}`;
const PYTHON = `enoki_test_python${RUN}`;
const MODULE = `${servicePath("interop.ts")}:${OURS}`;
const { exchange, queueOf, service, caller, replyQueueOf } = rpcTopology(DEFAULT_EXCHANGE);

/** What a service knows of a call. */
interface Facts {
  readonly id: string;
  readonly stack: readonly string[];
  readonly headers: Readonly<Record<string, unknown>>;
  readonly deadline: number | null;
}

/** Whatever a test needs of both worlds; ended and cleaned up with it. */
class Stage implements AsyncDisposable {
  readonly uri: string;
  readonly #stack = new AsyncDisposableStack();

  constructor(uri: string) {
    this.uri = uri;
  }

  static async open(uri: string): Promise<Stage> {
    const stage = new Stage(uri);
    const sweep = async () => {
      await using transport = amqp(uri);
      await transport.connect();
      for (const name of [OURS, PYTHON]) await transport.deleteQueue(queueOf(name));
    };
    await sweep();
    stage.#stack.defer(sweep);
    return stage;
  }

  /** Serves our service. */
  async ours(): Promise<void> {
    this.#stack.use(await run([MODULE], { broker: this.uri, threads: { permissions: "all" } }));
  }

  /** Serves the Python service. */
  async python(name = PYTHON): Promise<NamekoProcess> {
    return this.#stack.use(await NamekoProcess.start("serve.py", this.uri, name, OURS));
  }

  /** Our client. */
  async connection(): Promise<Connection> {
    return this.#stack.use(await connect({ broker: this.uri, timeout: 20_000 }));
  }

  /** A raw transport. */
  async transport(): Promise<Transport> {
    const transport = this.#stack.use(amqp(this.uri));
    await transport.connect();
    return transport;
  }

  /** Calls our service from Python. */
  async fromPython(method: string, call: Partial<NamekoCall> = {}): Promise<NamekoAnswer> {
    await using proxy = await NamekoProcess.start("call.py", this.uri);
    return await proxy.call({ service: OURS, method, ...call });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Registers a test with Nameko. */
function interop(name: string, proof: (stage: Stage) => Promise<void>): void {
  namekoTest(name, async (uri) => {
    await using stage = await Stage.open(uri);
    await proof(stage);
  });
}

interop("Errors pass through a chain of both worlds as RemoteError", async (stage) => {
  await Promise.all([stage.ours(), stage.python()]);
  const deep = await stage.fromPython("relayFail");
  assert.equal(deep.error?.class, "RemoteError");
  assert.equal(deep.error?.text, "RemoteError ValueError deep down");
  const nobody = await stage.fromPython("relayNobody");
  assert.equal(nobody.error?.class, "RemoteError");
  assert.match(nobody.error?.text ?? "", /UnknownService/);
});

interop("Stack, context data and deadline pass through a Python hop", async (stage) => {
  await Promise.all([stage.ours(), stage.python()]);
  const cluster = await stage.connection();
  const ours = cluster.client(OURS, { headers: { language: "en", big: 2 ** 40 }, timeout: 5_000 });
  const { first, last } = await ours["relayRelay"]!() as { readonly first: Facts; readonly last: Facts };
  assert.deepEqual(withoutTrace(last.headers), withoutTrace(first.headers));
  assert.equal(traceIdOf(String(last.headers.traceparent)), traceIdOf(String(first.headers.traceparent)));
  assert.equal(last.stack.length, 4);
  assert.deepEqual(last.stack.slice(0, 2), first.stack);
  assert.match(last.stack[2]!, new RegExp(`^${PYTHON}\\.relay_facts\\.`));
  assert.equal(last.stack[3], last.id);
  // The Python service passes the same duration on, which counts again from the next arrival.
  assert.ok(last.deadline! >= first.deadline!);
});

interop("Nameko serves the queue that we declared, and we the one that it declared", async (stage) => {
  {
    await using running = await run([MODULE], { broker: stage.uri, threads: { permissions: "all" } });
    assert.equal(running.containers.size, 1);
  }
  await stage.python(OURS);
  const cluster = await stage.connection();
  const ours = cluster.client(OURS);
  assert.equal(await ours["hello"]!("Nameko"), "Hello, Nameko!");
  await stage.ours();
  const answers = await Promise.all(Array.from({ length: 20 }, () => ours["hello"]!("both")));
  assert.deepEqual(new Set(answers), new Set(["Hello, both!"]));
});

interop("The request queue is durable, shared, lasting and without arguments", async (stage) => {
  await stage.ours();
  const transport = await stage.transport();
  await transport.declare({
    queues: [{ name: queueOf(OURS), durable: true, exclusive: false, autoDelete: false }],
  });
  for (const other of [{ durable: false }, { autoDelete: true }, { arguments: { "x-expires": 60_000 } }]) {
    const wrong = await stage.transport();
    await assert.rejects(wrong.declare({ queues: [{ name: queueOf(OURS), ...other }] }), BrokerError);
  }
});

/** The next message of a queue. */
async function next(transport: Transport, queue: string): Promise<{ text: string; delivery: Delivery }> {
  const { promise, resolve } = Promise.withResolvers<{ text: string; delivery: Delivery }>();
  const consumer = await transport.consume(queue, (delivery) => {
    resolve({ text: new TextDecoder().decode(delivery.body), delivery });
    return Promise.resolve("ack");
  }, { prefetch: 1 });
  const found = await promise;
  await consumer.stop();
  return found;
}

/** The properties that are there. */
function present(properties: MessageProperties): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
}

interop("Our request has the properties of Nameko's and no others", async (stage) => {
  const transport = await stage.transport();
  await transport.declare(service(PYTHON));
  const cluster = await stage.connection();
  const call = cluster.client(PYTHON, { timeout: 10_000 })["hello"]!.with({ headers: { language: "en" } })(
    "Ada",
    1,
  );
  const settled = assert.rejects(call);
  const { text, delivery } = await next(transport, queueOf(PYTHON));
  assert.equal(text, '{"args": ["Ada",1], "kwargs": {}}');
  assert.equal(delivery.exchange, exchange);
  assert.equal(delivery.routingKey, `${PYTHON}.hello`);
  const { correlationId, replyTo, headers, expiration, ...rest } = present(delivery.properties) as Record<
    string,
    string
  >;
  assert.deepEqual(rest, {
    contentType: "application/json",
    contentEncoding: "utf-8",
    deliveryMode: 2,
    priority: 0,
  });
  assert.match(expiration!, /^\d{1,5}$/);
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  assert.match(correlationId!, uuid);
  assert.match(replyTo!, uuid);
  const { "nameko.call_id_stack": stack, "nameko.enoki_timeout": timeout, ...data } = headers as unknown as {
    readonly "nameko.call_id_stack": readonly string[];
    readonly "nameko.enoki_timeout": string;
  };
  assert.equal(stack.length, 1);
  assert.match(stack[0]!, /^standalone_rpc_proxy\.call\./);
  assert.match(timeout, /^\d{1,5}$/);
  assert.deepEqual(data, { "nameko.language": "en" });
  await cluster.close();
  await settled;
});

interop("Our reply has the properties of Nameko's and no others", async (stage) => {
  await stage.ours();
  const transport = await stage.transport();
  const id = crypto.randomUUID();
  await transport.declare(caller("enoki_test", id));
  const ask = (properties: MessageProperties, body = '{"args": ["Ada"], "kwargs": {}}') =>
    transport.publish({
      exchange,
      routingKey: `${OURS}.hello`,
      body,
      properties: { contentType: "application/json", replyTo: id, ...properties },
    });
  try {
    await ask({ correlationId: "the id", headers: { "nameko.language": "en" } });
    const { text, delivery } = await next(transport, replyQueueOf("enoki_test", id));
    assert.equal(text, '{"result": "Hello, Ada!", "error": null}');
    assert.equal(delivery.exchange, exchange);
    assert.equal(delivery.routingKey, id);
    const common = {
      contentType: "application/json",
      contentEncoding: "utf-8",
      deliveryMode: 2,
      priority: 0,
    };
    assert.deepEqual(present(delivery.properties), { ...common, correlationId: "the id", headers: {} });
    await ask({}, '{"args": []}');
    const refused = await next(transport, replyQueueOf("enoki_test", id));
    assert.deepEqual(present(refused.delivery.properties), { ...common, headers: {} });
    const { result, error } = JSON.parse(refused.text);
    assert.equal(result, null);
    assert.equal(error.exc_path, "nameko.exceptions.MalformedRequest");
    assert.deepEqual(error.exc_args, ["Message missing `args` or `kwargs`"]);
  } finally {
    await transport.deleteQueue(replyQueueOf("enoki_test", id));
  }
});
