/** Numbers of what clients have open, and of the calls in threads, while that is so. */
import { ok, strictEqual } from "node:assert/strict";
import { configureLogging } from "../../runtime/log/observe.ts";
import { memory } from "../../extensions/memory/mod.ts";
import { run } from "../../extensions/run.ts";
import { freePort } from "../fixtures/free_port.ts";
import { type Family, parsePrometheus, valueOf } from "../fixtures/prometheus_parser.ts";
import { servicePath } from "../fixtures/serve_in_memory.ts";
import { ODD_SERVICE, serveHttp } from "./http/web_stage.ts";
import { Peer, serveStreams } from "./stream/stream_stage.ts";
import { RawSocket, serveSockets } from "./websocket/socket_stage.ts";

configureLogging({ write: () => {} });

type Labels = Readonly<Record<string, string>>;

async function pageOf(url: string): Promise<ReadonlyMap<string, Family>> {
  return parsePrometheus(await (await fetch(`${url}/metrics`)).text());
}

/** Resolves when a number has a value. */
async function becomes(url: string, name: string, labels: Labels, value: number): Promise<void> {
  while (valueOf(await pageOf(url), name, labels) !== value) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("WebSockets are counted while they are open", async () => {
  await using running = await serveSockets({ METRICS: true });
  strictEqual(valueOf(await pageOf(running.http), "enoki_websocket_connections"), 0);
  {
    await using _one = await RawSocket.open(running.ws);
    await using _other = await RawSocket.open(running.ws);
    strictEqual(valueOf(await pageOf(running.http), "enoki_websocket_connections"), 2);
  }
  await becomes(running.http, "enoki_websocket_connections", {}, 0);
});

Deno.test("the connections of streams are counted while they are open", async () => {
  const url = `http://127.0.0.1:${freePort()}`;
  await using running = await serveStreams({ HEALTH_ADDRESS: url.slice(7) });
  const labels = { service: "talker", stream: "LINES" };
  strictEqual(valueOf(await pageOf(url), "enoki_stream_connections", labels), 0);
  {
    using _peer = await Peer.greeted(running.LINES);
    await becomes(url, "enoki_stream_connections", labels, 1);
  }
  await becomes(url, "enoki_stream_connections", labels, 0);
});

Deno.test("threads and calls are counted while they run and wait", async () => {
  await using running = await serveHttp([ODD_SERVICE], { METRICS: true, max_workers: 1 });
  const url = running.http;
  const service = "odd";
  const endless = await fetch(`${url}/endless`);
  await becomes(url, "enoki_calls_running", { service }, 1);
  await becomes(url, "enoki_threads", { service, state: "busy" }, 1);
  const waiting = fetch(`${url}/look`);
  await becomes(url, "enoki_calls_waiting", { service }, 1);
  await endless.body!.cancel();
  await (await waiting).body?.cancel();
  await becomes(url, "enoki_threads", { service, state: "idle" }, 1);
  await becomes(url, "enoki_calls_running", { service }, 0);
});

Deno.test({
  name: "the memory and the processor time of a service's own process are measured, also of the next one",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const address = `127.0.0.1:${freePort()}`;
    await using running = await run([servicePath("greedy.ts")], {
      broker: memory(),
      config: { HEALTH_ADDRESS: address, max_workers: 1 },
    });
    const container = running.containers.get("greedy")!;
    const measured = async () => {
      const page = await pageOf(`http://${address}`);
      return ["enoki_service_resident_memory_bytes", "enoki_service_cpu_seconds_total"].map((name) =>
        valueOf(page, name, { service: "greedy" })!
      );
    };
    const [bytes, seconds] = await measured();
    ok(bytes! > 20e6 && bytes! < 500e6, `${bytes} bytes`);
    ok(seconds! > 0.05 && seconds! < 60, `${seconds} s`);
    const { ownPid } = container.place;
    Deno.kill(ownPid!, "SIGKILL");
    let more = seconds!;
    while (container.place.ownPid === ownPid || more < seconds! + 0.05) {
      const [, now] = await measured();
      ok(now! >= more, `${now} s after ${more} s`);
      more = now!;
    }
  },
});
