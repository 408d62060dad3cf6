/** What the shared parts of a process do while one of its services is stopped alone. */
import assert from "node:assert/strict";
import { configureLogging } from "../../runtime/log/observe.ts";
import { EditedModules } from "../fixtures/edited_module.ts";
import { PATH_SERVICE } from "./http/web_stage.ts";
import { Peer, serveStreams } from "./stream/stream_stage.ts";
import { RawSocket, serveSockets, SOCKET_SERVICE } from "./websocket/socket_stage.ts";

configureLogging({ write: () => {} });

async function ask(url: string): Promise<string> {
  const response = await fetch(url);
  return `${response.status} ${(await response.text()).trim()}`;
}

Deno.test("the HTTP server goes on without a service that is stopped, and has its routes again after a start", async () => {
  await using served = await serveSockets({}, {}, [SOCKET_SERVICE, PATH_SERVICE]);
  const paths = served.containers.get("paths")!;
  const route = `${served.http}/tea/`;
  assert.equal(await ask(route), "200 tea");
  await paths.stop();
  assert.match(await ask(route), /^503 .*The service is stopped/);
  await using socket = await RawSocket.open(served.ws);
  assert.equal((await socket.call("echo", { value: "still" })).data, "still");
  await paths.start();
  assert.equal(await ask(route), "200 tea");
});

Deno.test("a route that a new version of a stopped service does not have is gone after its start", async () => {
  await using modules = await EditedModules.open();
  const page = { method: "page", entrypoint: 'http("GET", "/a/page")', handler: "() => 'page'" };
  const module = await modules.write("service.ts", { number: 1, more: [page] });
  await using served = await serveSockets({}, {}, [module, PATH_SERVICE]);
  const container = served.containers.get("enoki_test_edited")!;
  await container.stop();
  assert.match(await ask(`${served.http}/a/page`), /^503 /);
  await modules.write("service.ts", "throw new Error('broken')");
  await assert.rejects(container.start(), /broken/);
  assert.match(await ask(`${served.http}/a/page`), /^503 /);
  await modules.write("service.ts", { number: 2 });
  await container.start();
  assert.equal(await ask(`${served.http}/a/page`), "404 Not Found");
});

Deno.test("clients of a WebSocket stay while its service is stopped, and are served again after a start", async () => {
  await using served = await serveSockets({}, {}, [SOCKET_SERVICE, PATH_SERVICE]);
  const sockets = served.containers.get("sockets")!;
  await using socket = await RawSocket.open(served.ws);
  await sockets.stop({ signal: AbortSignal.abort() });
  const refused = await socket.call("echo", { value: "nobody" });
  assert.equal(refused.success, false);
  assert.equal(await ask(`${served.http}/tea/`), "200 tea");
  await sockets.start();
  assert.equal((await socket.call("echo", { value: "again" })).data, "again");
  const closed = socket.closed;
  await served.shutdown();
  assert.equal((await closed).code, 1001);
});

Deno.test("a WebSocket service that was stopped at once is stopped politely the next time", async () => {
  await using served = await serveSockets({}, {}, [SOCKET_SERVICE, PATH_SERVICE]);
  const sockets = served.containers.get("sockets")!;
  await using watcher = await RawSocket.open(served.ws);
  await watcher.call("join", { channel: "watchers" });
  await using socket = await RawSocket.open(served.ws);
  socket.send({ method: "slow", data: { key: "cut", ms: 60_000 } });
  assert.equal((await watcher.next()).data, "cut");
  await sockets.stop({ signal: AbortSignal.abort() });
  assert.equal((await socket.next()).success, false);
  await sockets.start();
  socket.send({ method: "slow", data: { key: "whole", ms: 100 } });
  assert.equal((await watcher.next()).data, "whole");
  const stopping = served.shutdown();
  assert.equal((await socket.next()).data.key, "whole");
  await stopping;
});

Deno.test("the streams of a service close with its stop, and listen again after its start", async () => {
  await using served = await serveStreams();
  const [container] = [...served.containers.values()];
  using peer = await Peer.greeted(served.LINES);
  await container!.stop();
  assert.equal(await peer.line(), undefined);
  await assert.rejects(Peer.connect(served.LINES), Deno.errors.ConnectionRefused);
  await container!.start();
  using next = await Peer.greeted(served.LINES);
  assert.equal(await next.ask("slow 1"), "slow 1");
});

Deno.test("/readyz counts only services that are to run, and needs one", async () => {
  await using served = await serveSockets({}, {}, [SOCKET_SERVICE, PATH_SERVICE]);
  const [sockets, paths] = [served.containers.get("sockets")!, served.containers.get("paths")!];
  const ready = () => ask(`${served.http}/readyz`);
  const restarting = paths.restart();
  while (paths.state === "running") await new Promise((resolve) => setImmediate(resolve));
  const [meanwhile] = await Promise.all([ready(), restarting]);
  assert.match(meanwhile, /^503 not ready/);
  assert.equal(await ready(), "200 ready");
  await paths.stop();
  assert.equal(await ready(), "200 ready");
  await sockets.stop();
  assert.match(await ready(), /^503 not ready/);
  assert.equal(await ask(`${served.http}/healthz`), "200 ok");
  await paths.start();
  assert.equal(await ready(), "200 ready");
});

Deno.test("the OpenAPI document leaves out a service that is stopped", async () => {
  await using served = await serveSockets({ HTTP_OPENAPI: true }, {}, [PATH_SERVICE, SOCKET_SERVICE]);
  const pathsIn = async () => {
    const { paths } = await (await fetch(`${served.http}/openapi.json`)).json();
    return Object.keys(paths);
  };
  assert.notDeepEqual(await pathsIn(), []);
  await served.containers.get("paths")!.stop();
  assert.deepEqual(await pathsIn(), []);
});

Deno.test("Runner.stop() closes the HTTP server, whichever services are stopped already", async () => {
  const served = await serveSockets({}, {}, [SOCKET_SERVICE, PATH_SERVICE]);
  for (const container of served.containers.values()) await container.stop();
  await served.shutdown();
  await served.finished;
  await assert.rejects(fetch(`${served.http}/healthz`));
});
