import assert from "node:assert/strict";
import { run } from "../../../extensions/run.ts";
import { MemoryBroker } from "../../../extensions/memory/mod.ts";
import { configureLogging, resetLogging } from "../../../runtime/log/observe.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { parsePrometheus, valueOf } from "../../fixtures/prometheus_parser.ts";
import { serveInMemory, servicePath } from "../../fixtures/serve_in_memory.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";
import { ODD_SERVICE, serveHttp, takenPort } from "./web_stage.ts";

configureLogging({ write: () => {} });

async function answerOf(url: string, init?: RequestInit): Promise<readonly [status: number, text: string]> {
  const response = await fetch(url, init);
  return [response.status, await response.text()];
}

/** Resolves with the first answer whose text fits; until then there need not be any. */
async function says(url: string, text: RegExp): Promise<string> {
  for (;;) {
    const answer = await answerOf(url).catch(() => undefined);
    if (answer !== undefined && text.test(answer[1])) return answer[1];
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("HEALTH_ADDRESS answers about a process without HTTP entrypoints, and about nothing else", async () => {
  const url = `http://127.0.0.1:${freePort()}`;
  await using running = await serveInMemory(new MemoryBroker(), ["measuring.ts"], {
    config: { HEALTH_ADDRESS: url.slice(7) },
  });
  assert.equal(running.http, undefined);
  assert.deepEqual(await answerOf(`${url}/healthz`), [200, "ok\n"]);
  assert.deepEqual(await answerOf(`${url}/readyz`), [200, "ready\n"]);
  const [status, page] = await answerOf(`${url}/metrics`);
  assert.equal(status, 200);
  const service = "enoki_test_measuring";
  const labels = { service, method: "order", kind: "rpc", outcome: "ok" };
  const read = parsePrometheus(page);
  assert.equal(valueOf(read, "enoki_calls_total", labels), 0);
  assert.equal(valueOf(read, "enoki_threads", { service, state: "idle" }), 1);
  assert.equal(valueOf(read, "enoki_broker_connected"), 1);
  assert.equal((await answerOf(`${url}/`))[0], 404);
  assert.equal((await answerOf(`${url}/metrics`, { method: "POST" }))[0], 405);
  await running.shutdown();
  await assert.rejects(answerOf(`${url}/healthz`));
});

brokerTest(
  "HEALTH_ADDRESS answers while a broker is waited for, and stops with a start that is given up",
  async (uri) => {
    await using proxy = await SeverableProxy.open(uri);
    proxy.down = true;
    const url = `http://127.0.0.1:${freePort()}`;
    const giveUp = new AbortController();
    const loaded = Promise.withResolvers<void>();
    const serving = run([servicePath("measuring.ts")], {
      broker: proxy.uri,
      config: { HEALTH_ADDRESS: url.slice(7) },
      threads: { permissions: "all" },
      onProgress: ({ step }) => step === "loaded" && loaded.resolve(),
      onUnreachable: () => {},
      signal: giveUp.signal,
    });
    assert.equal(
      await says(`${url}/readyz`, /not ready/),
      "not ready\nbroker: not connected\nservices: none runs\n",
    );
    assert.equal((await answerOf(`${url}/healthz`))[0], 200);
    await loaded.promise;
    giveUp.abort();
    await assert.rejects(serving);
    await assert.rejects(answerOf(`${url}/healthz`));
  },
);

Deno.test("HEALTH_ADDRESS answers until all calls have ended, and says that the service stops", async () => {
  const url = `http://127.0.0.1:${freePort()}`;
  await using running = await serveHttp([ODD_SERVICE], { HEALTH_ADDRESS: url.slice(7) });
  const ticks = await fetch(`${running.http}/endless`);
  const stopping = running.shutdown();
  assert.equal(await says(`${url}/readyz`, /not ready/), "not ready\nservice odd: draining\n");
  assert.equal((await answerOf(`${url}/healthz`))[0], 200);
  await ticks.body!.cancel();
  await stopping;
  await assert.rejects(answerOf(`${url}/healthz`));
});

Deno.test("HEALTH_ADDRESS of a port that is taken is a configuration error", async () => {
  await using taken = await takenPort();
  const config = { HEALTH_ADDRESS: `127.0.0.1:${taken.port}` };
  await assert.rejects(serveInMemory(new MemoryBroker(), ["measuring.ts"], { config }), {
    name: "ConfigurationError",
    message:
      `Cannot listen on 127.0.0.1:${taken.port}: the port is in use. Choose another address with HEALTH_ADDRESS`,
  });
});

Deno.test("METRICS and HEALTH_ADDRESS refuse what is neither a path nor an address", async () => {
  for (
    const [config, message] of [
      [{ METRICS: "metrics" }, /Cannot use config key "METRICS".*expected true, false or a path/],
      [{ METRICS: 1 }, /Cannot use config key "METRICS".*expected true, false or a path/],
      [{ HEALTH_ADDRESS: "here" }, /Cannot use address "here" \(HEALTH_ADDRESS\): expected \[host:\]port/],
      [{ HEALTH_ADDRESS: "127.0.0.1:70000" }, /\(HEALTH_ADDRESS\): ports go up to 65535/],
    ] as const
  ) {
    await assert.rejects(serveInMemory(new MemoryBroker(), ["measuring.ts"], { config }), {
      name: "ConfigurationError",
      message,
    });
  }
});

Deno.test("METRICS gives the server of all services a page, which counts requests by their rules", async () => {
  await using running = await serveHttp([ODD_SERVICE], { METRICS: "/numbers", HTTP_HOSTS: ["127.0.0.1"] });
  const url = running.http;
  for (const path of ["/items/a", "/items/b", "/nowhere/1", "/nowhere/2", "/items/a?x=1"]) {
    await answerOf(url + path);
  }
  await answerOf(`${url}/items/a`, { method: "HEAD" });
  await answerOf(`${url}/body`, { method: "POST", body: "x" });
  await answerOf(`${url}/items/a`, { method: "PROPFIND" });
  await answerOf(`${url}/readyz`);
  const response = await fetch(`${url}/numbers`);
  assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const read = parsePrometheus(await response.text());
  const counted = read.get("enoki_http_requests_total")!.samples.map(({ labels, value }) =>
    `${labels["method"]} ${labels["route"]} ${labels["status"]} ${value}`
  );
  assert.deepEqual(counted.sort(), [
    "GET /items/:id 200 3",
    "GET /readyz 200 1",
    "GET none 404 2",
    "HEAD /items/:id 200 1",
    "POST /body 200 1",
    "other none 405 1",
  ]);
  const route = { method: "GET", route: "/items/:id" };
  assert.equal(valueOf(read, "enoki_http_request_duration_seconds_count", route), 3);
  assert.equal((await answerOf(`${url}/metrics`))[0], 404);
});

Deno.test("the page of METRICS answers all hosts, as health does, and a service's own rule wins over it", async () => {
  await using running = await serveHttp([ODD_SERVICE], { METRICS: true, HTTP_HOSTS: ["example.org"] });
  assert.equal((await answerOf(`${running.http}/metrics`))[0], 200);
  assert.equal((await answerOf(`${running.http}/look`))[0], 421);
  await using other = await serveHttp([ODD_SERVICE], { METRICS: "/look" });
  assert.doesNotMatch((await answerOf(`${other.http}/look`))[1], /^# HELP/);
});

Deno.test("without METRICS there is no page, and METRICS without a server says so", async () => {
  await using running = await serveHttp([ODD_SERVICE]);
  assert.equal((await answerOf(`${running.http}/metrics`))[0], 404);
  const lines: string[] = [];
  configureLogging({ write: (line) => lines.push(line) });
  try {
    await using _silent = await serveInMemory(new MemoryBroker(), ["measuring.ts"], {
      config: { METRICS: true },
    });
    assert.ok(
      lines.some((line) => line.includes("METRICS has no effect: no service here has HTTP")),
      lines.join(),
    );
  } finally {
    resetLogging();
    configureLogging({ write: () => {} });
  }
});
