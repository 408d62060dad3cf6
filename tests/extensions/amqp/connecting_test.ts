import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { BrokerError } from "../../../runtime/message/errors.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";

/** Connects where it must fail, and returns the error. */
async function failure(uri: string, connectTimeout = 5_000): Promise<BrokerError> {
  const transport = amqp(uri, { connectTimeout });
  try {
    await transport.connect();
  } catch (error) {
    assert.ok(error instanceof BrokerError);
    return error;
  } finally {
    await transport.close();
  }
  throw new Error("it connected");
}

/** Accepts connections and never says a word. */
async function silentServer(): Promise<Server> {
  const server = createServer((socket) => socket.on("error", () => {}).resume());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

async function closed(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  await closed;
}

function withUser(uri: string, user: string, password: string, vhost = "/"): string {
  const url = new URL(uri);
  url.username = user;
  url.password = password;
  url.pathname = encodeURIComponent(vhost);
  return url.href;
}

Deno.test("Transport.connect() says that the connection was refused, and what to do", async () => {
  assert.equal(
    (await failure("amqp://bob:secret@127.0.0.1:1")).message,
    "Cannot reach broker amqp://127.0.0.1:1: connection refused. Start RabbitMQ, or name another broker: " +
      "with --broker, or with the option broker in a program",
  );
});

Deno.test("Transport.connect() says that the host is not known", async () => {
  assert.match(
    (await failure("amqp://bob:secret@nowhere.invalid")).message,
    /host "nowhere.invalid" is not known/,
  );
});

Deno.test("Transport.connect() gives up after connectTimeout", async () => {
  const silent = await silentServer();
  const { port } = silent.address() as AddressInfo;
  assert.match((await failure(`amqp://127.0.0.1:${port}`, 100)).message, /no answer within 100 ms/);
  await closed(silent);
});

Deno.test("Transport.connect() rejects with the reason of its signal", async () => {
  const silent = await silentServer();
  const { port } = silent.address() as AddressInfo;
  const abort = new AbortController();
  silent.once("connection", () => abort.abort(new Error("changed my mind")));
  const transport = amqp(`amqp://127.0.0.1:${port}`);
  await assert.rejects(transport.connect({ signal: abort.signal }), /changed my mind/);
  await transport.close();
  await closed(silent);
});

brokerTest("Transport.connect() names the user that was refused, not the password", async (uri) => {
  const error = await failure(withUser(uri, "nobody", "s3cret"));
  assert.match(
    error.message,
    /^Cannot log in to broker .*: user "nobody" was refused. Check user and password/,
  );
  assert.ok(!`${error.message}${error.cause}`.includes("s3cret"));
});

brokerTest("Transport.connect() names the vhost that cannot be opened", async (uri) => {
  const { username, password } = new URL(uri);
  const error = await failure(withUser(uri, username, password, "no-such-vhost"));
  assert.match(error.message, /^Cannot open vhost "no-such-vhost"/);
});

brokerTest("Transport.connect() says that the port does not speak TLS", async (uri) => {
  assert.match(
    (await failure(uri.replace(/^amqp:/, "amqps:"))).message,
    /^Cannot talk to broker amqps:.*speaks AMQP with TLS/,
  );
});

brokerTest("Transport.connect() logs in with AMQPLAIN", async (uri) => {
  await using transport = amqp(uri, { login: "AMQPLAIN" });
  await transport.connect();
});

brokerTest("Transport.connect() may be called again after it failed", async (uri) => {
  await using transport = amqp(uri);
  await assert.rejects(transport.connect({ signal: AbortSignal.abort(new Error("not yet")) }), /not yet/);
  await transport.connect();
});

Deno.test("Transport.publish() fails before connect()", async () => {
  await using transport = amqp("amqp://127.0.0.1:1");
  const message = { exchange: "", routingKey: "", body: "", properties: {} };
  await assert.rejects(transport.publish(message), /not connected. Call connect\(\) first/);
});

Deno.test("Transport.broker has no password", () => {
  assert.equal(amqp("amqp://bob:secret@rabbit/nk").broker, "amqp://bob@rabbit:5672/nk");
});

Deno.test("amqp() refuses a negative duration", () => {
  assert.throws(() => amqp("amqp://rabbit", { connectTimeout: -1 }), RangeError);
});

brokerTest("A signal that aborts after connect() leaves the connection alone", async (uri) => {
  const abort = new AbortController();
  const states: string[] = [];
  await using transport = amqp(uri, { onStatus: ({ state }) => states.push(state) });
  await transport.connect({ signal: abort.signal });
  abort.abort();
  await transport.publish({ exchange: "", routingKey: "nobody", body: "", properties: {} });
  assert.deepEqual(states, ["connected"]);
});

brokerTest(
  "A transport whose declarations are refused after a loss says why and tries until they are not",
  async (uri) => {
    await using proxy = await SeverableProxy.open(uri);
    await using other = amqp(uri);
    await other.connect();
    const refused = Promise.withResolvers<string>();
    const back = Promise.withResolvers<void>();
    let losses = 0;
    await using transport = amqp(proxy.uri, {
      retryStep: 20,
      onStatus(status) {
        if (status.state === "connected" && losses > 0) back.resolve();
        if (status.state === "lost") losses++;
        if (status.state === "refused") refused.resolve(status.reason);
      },
    });
    await transport.connect();
    const queue = `enoki-test-${crypto.randomUUID()}`;
    await transport.declare({ queues: [{ name: queue }] });
    proxy.down = true;
    await proxy.sever();
    await other.deleteQueue(queue);
    await other.declare({ queues: [{ name: queue, arguments: { "x-max-length": 1 } }] });
    proxy.down = false;
    assert.match(await refused.promise, new RegExp(`^Cannot declare queue "${queue}": PRECONDITION_FAILED`));
    await other.deleteQueue(queue);
    await back.promise;
    const message = { exchange: "", routingKey: queue, body: "", properties: {}, mandatory: true };
    for (let isTaken = false; !isTaken;) {
      isTaken = await transport.publish(message).then(() => true, () => false);
    }
    await transport.deleteQueue(queue);
  },
);
