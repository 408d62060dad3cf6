import assert from "node:assert/strict";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";
import { Arrivals, listener, type Received, serve } from "./bayeux_stage.ts";
import { FayeServer } from "./faye_server.ts";

const lines = new Arrivals<string>();
configureLogging({ write: (line) => lines.add(line) });

/** Returns the lines of the log about one service. */
function linesOf(name: string, text: string): readonly string[] {
  return lines.all.filter((line) => line.includes(name) && line.includes(text));
}

Deno.test("a handler gets the messages of its channel, with what else they say", async () => {
  await using server = await FayeServer.start();
  const received = new Arrivals<Received>();
  await using _running = await serve([listener("quotes", { quote: "/quotes/acme" }, received)], server.uri);
  await server.until(() => server.subscriptions.length === 1);
  server.publish("/quotes/other", 1);
  server.publish("/quotes/acme", { price: 7 }, { id: "m1", ext: { replay: 3 } });
  server.publish("/quotes/acme", null);
  const [first, second] = await received.until(2);
  assert.deepEqual(first, {
    method: "quote",
    data: { price: 7 },
    message: { channel: "/quotes/acme", subscription: "/quotes/acme", id: "m1", ext: { replay: 3 } },
  });
  assert.equal(second!.data, null);
});

Deno.test("wildcards stand for one segment, or for one and more; each handler that is meant gets the message", async () => {
  await using server = await FayeServer.start();
  const received = new Arrivals<Received>();
  const channels = { one: "/a/*", deep: "/a/**", exact: "/a/b", last: "/last" };
  await using _running = await serve([listener("wild", channels, received)], server.uri);
  await server.until(() => server.subscriptions.length === 4);
  for (const channel of ["/a/b", "/a/b/c", "/a/d", "/ab", "/last"]) server.publish(channel, channel);
  const all = await received.until(({ method }) => method === "last");
  const of = (method: string) => all.filter((item) => item.method === method).map(({ data }) => data);
  assert.deepEqual(of("one"), ["/a/b", "/a/d"]);
  assert.deepEqual(of("deep"), ["/a/b", "/a/b/c", "/a/d"]);
  assert.deepEqual(of("exact"), ["/a/b"]);
});

Deno.test("the messages of a burst are handled in order by one thread", async () => {
  await using server = await FayeServer.start();
  const received = new Arrivals<Received>();
  await using _running = await serve([listener("burst", { one: "/burst" }, received)], server.uri);
  await server.until(() => server.subscriptions.length === 1);
  for (let number = 0; number < 500; number++) server.publish("/burst", number);
  await received.until(500);
  assert.deepEqual(received.all.map(({ data }) => data), Array.from({ length: 500 }, (_, number) => number));
});

Deno.test("two services of a process have a connection each", async () => {
  await using server = await FayeServer.start();
  const [one, two] = [new Arrivals<Received>(), new Arrivals<Received>()];
  const services = [
    listener("first", { one: "/x" }, one),
    listener("second", { two: "/x", more: "/y" }, two),
  ];
  await using _running = await serve(services, server.uri);
  await server.until(() => server.subscriptions.length === 3);
  assert.equal(server.handshakes, 2);
  server.publish("/x", 1);
  await one.until(1);
  await two.until(1);
});

Deno.test("a server that has restarted gets handshake and subscriptions again", async () => {
  const port = freePort();
  const received = new Arrivals<Received>();
  const before = await FayeServer.start({ port });
  await using _running = await serve([listener("again", { one: "/x" }, received)], before.uri);
  await before.until(() => before.subscriptions.length === 1);
  before.publish("/x", 1);
  await received.until(1);
  await before.stop();
  await lines.until((line) => line.includes("again") && line.includes("Cannot reach the Bayeux server"));
  await using after = await FayeServer.start({ port });
  await after.until(() => after.subscriptions.length === 1);
  after.publish("/x", 2);
  await received.until(2);
  assert.equal(linesOf("again", "Cannot reach the Bayeux server").length, 1);
  assert.equal(linesOf("again", "Unknown client (401)").length, 1);
});

Deno.test("when the network is lost, the client comes back as the one that it was", async () => {
  // Faye holds the new request until it would have answered the one that was lost.
  await using server = await FayeServer.start({ timeout: 1 });
  await using proxy = await SeverableProxy.open(server.uri);
  const received = new Arrivals<Received>();
  await using _running = await serve([listener("lossy", { one: "/x" }, received)], proxy.uri);
  await server.until(() => server.subscriptions.length === 1);
  await server.isAsked();
  proxy.down = true;
  await proxy.sever();
  await lines.until((line) => line.includes("lossy") && line.includes("Cannot reach the Bayeux server"));
  proxy.down = false;
  await lines.until((line) => line.includes("lossy") && line.includes("is back"));
  server.publish("/x", "afterwards");
  await received.until(1);
  assert.equal(server.handshakes, 1);
  assert.equal(linesOf("lossy", "Cannot reach").length, 1);
});

Deno.test("a service starts while its server is away, and says so once", async () => {
  const port = freePort();
  const received = new Arrivals<Received>();
  await using _running = await serve(
    [listener("early", { one: "/x" }, received)],
    `http://127.0.0.1:${port}/bayeux`,
  );
  await lines.until((line) => line.includes("early") && line.includes("Cannot reach the Bayeux server"));
  await using server = await FayeServer.start({ port });
  await server.until(() => server.subscriptions.length === 1);
  server.publish("/x", 1);
  await received.until(1);
  assert.match(linesOf("early", "Cannot reach")[0]!, /: connection refused\. Trying again until it works$/);
  assert.equal(linesOf("early", "Cannot reach").length, 1);
  assert.equal(linesOf("early", "Connected to the Bayeux server").length, 1);
});

Deno.test("each request has the token, and the handshake and the subscriptions the field ext", async () => {
  const seen: unknown[] = [];
  await using server = await FayeServer.start({
    incoming: ({ channel, ext }) => void seen.push([channel, ext]),
  });
  const ext = { replay: { "/x": -1 } };
  const services = [listener("authorized", { one: "/x" }, new Arrivals())];
  await using _running = await serve(services, server.uri, { AUTHORIZATION: "Bearer abc", EXT: ext });
  await server.isAsked();
  assert.deepEqual(seen.slice(0, 3), [
    ["/meta/handshake", ext],
    ["/meta/subscribe", ext],
    ["/meta/connect", undefined],
  ]);
  assert.deepEqual(
    new Set(server.headers.map(({ authorization }) => authorization)),
    new Set(["Bearer abc"]),
  );
});

Deno.test("a token that the server refuses by HTTP is tried again, and the log says so once, without the token", async () => {
  let isRefused = true;
  await using server = await FayeServer.start({ status: () => isRefused ? 401 : undefined });
  const services = [listener("refused", { one: "/x" }, new Arrivals())];
  await using _running = await serve(services, server.uri, { AUTHORIZATION: "Bearer s3cret-token" });
  await server.until(() => server.headers.length >= 3);
  isRefused = false;
  await server.until(() => server.subscriptions.length === 1);
  const told = linesOf("refused", "answers with HTTP 401. Check AUTHORIZATION");
  assert.equal(told.length, 1);
  assert.equal(lines.all.some((line) => line.includes("s3cret-token")), false);
});

Deno.test("a service fails if the server refuses the handshake for good; the error has no token", async () => {
  await using server = await FayeServer.start({
    incoming: (message) => {
      const { token } = message.ext ?? {};
      if (message.channel === "/meta/handshake") message.error = `403:${token}:No such token ${token}`;
    },
    outgoing: (message) => {
      if (message.error !== undefined) message.advice = { reconnect: "none" };
    },
  });
  const services = [listener("unwelcome", { one: "/x" }, new Arrivals())];
  const running = await serve(services, server.uri, { EXT: { token: "s3cret-token" } });
  await assert.rejects(running.finished, (error: Error) => {
    assert.match(error.message, /refuses \/meta\/handshake: No such token \*+ \(403\)\. It advises not to/);
    return true;
  });
  await running.shutdown().catch(() => {});
  assert.equal(server.handshakes, 0);
  assert.equal(lines.all.some((line) => line.includes("s3cret-token")), false);
});

Deno.test("a subscription that the server refuses is logged, and the others get their messages", async () => {
  await using server = await FayeServer.start({
    incoming: (message) => {
      if (message["subscription"] === "/closed") message.error = "401:/closed:Forbidden channel";
    },
  });
  const received = new Arrivals<Received>();
  const services = [listener("partly", { closed: "/closed", open: "/open" }, received)];
  await using _running = await serve(services, server.uri);
  await server.until(() => server.subscriptions.length === 1);
  server.publish("/open", 1);
  await received.until(1);
  assert.equal(linesOf("partly", "refuses the subscription to /closed: Forbidden channel (401)").length, 1);
});

Deno.test("a service that has its hands full does not ask for more", async () => {
  await using server = await FayeServer.start();
  const received = new Arrivals<Received>();
  const free = Promise.withResolvers<void>();
  const services = [listener("busy", { one: "/x" }, received, { handle: () => free.promise })];
  await using _running = await serve(services, server.uri, { MAX_CALLS: 2 }, { max_workers: 3 });
  await server.until(() => server.subscriptions.length === 1);
  server.publish("/x", 1);
  await received.until(1);
  server.publish("/x", 2);
  await received.until(2);
  server.publish("/x", 3);
  // Another client goes all the way meanwhile.
  const other = new Arrivals<Received>();
  await using _other = await serve([listener("idle", { one: "/y" }, other)], server.uri);
  await server.until(() => server.subscriptions.length === 2);
  server.publish("/y", 1);
  await other.until(1);
  assert.equal(received.all.length, 2);
  free.resolve();
  await received.until(3);
});

Deno.test("a service that stops says good-bye, and its running calls end first", async () => {
  await using server = await FayeServer.start();
  const received = new Arrivals<Received>();
  const free = Promise.withResolvers<void>();
  let ended = 0;
  const handle = async () => {
    await free.promise;
    ended++;
  };
  const running = await serve([listener("leaving", { one: "/x" }, received, { handle })], server.uri);
  await server.until(() => server.subscriptions.length === 1);
  server.publish("/x", 1);
  await received.until(1);
  const stopped = running.shutdown();
  await server.until(() => server.disconnects === 1);
  assert.equal(ended, 0);
  free.resolve();
  await stopped;
  assert.equal(ended, 1);
});

Deno.test("a service stops quickly while its server is away", async () => {
  const running = await serve(
    [listener("alone", { one: "/x" }, new Arrivals())],
    `http://127.0.0.1:${freePort()}/`,
    { RETRY_INTERVAL: 100, MAX_RETRY_INTERVAL: 100 },
  );
  await lines.until((line) => line.includes("alone") && line.includes("Cannot reach the Bayeux server"));
  const began = performance.now();
  await running.shutdown();
  assert.ok(performance.now() - began < 1_000);
});
