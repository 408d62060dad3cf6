import assert from "node:assert/strict";
import { run } from "../../../extensions/run.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { parsePrometheus, valueOf } from "../../fixtures/prometheus_parser.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";
import { ODD_SERVICE, serveHttp } from "./web_stage.ts";

configureLogging({ write: () => {} });

async function textOf(url: string): Promise<string> {
  return await (await fetch(url)).text();
}

async function statusOf(url: string, method = "GET"): Promise<number> {
  const response = await fetch(url, { method });
  await response.body?.cancel();
  return response.status;
}

/** Resolves when the answer has a status; until then there need not be any. */
async function becomes(url: string, status: number): Promise<void> {
  while (await statusOf(url).catch(() => undefined) !== status) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

brokerTest("/readyz is 503 while the broker is lost, and /healthz is 200", async (uri) => {
  await using proxy = await SeverableProxy.open(uri);
  const config = { TRANSPORT_OPTIONS: { interval_start: 0.1, interval_step: 0, interval_max: 0.1 } };
  await using running = await serveHttp([ODD_SERVICE], { ...config, METRICS: true }, { broker: proxy.uri });
  const numbers = async () => {
    const page = parsePrometheus(await textOf(`${running.http}/metrics`));
    return ["enoki_broker_connected", "enoki_broker_reconnects_total"].map((name) => valueOf(page, name));
  };
  assert.deepEqual(await numbers(), [1, 0]);
  const ready = `${running.http}/readyz`;
  assert.equal(await statusOf(ready), 200);
  proxy.down = true;
  await proxy.sever();
  await becomes(ready, 503);
  assert.equal(await textOf(ready), "not ready\nbroker: not connected\n");
  assert.deepEqual(await numbers(), [0, 0]);
  assert.equal(await statusOf(`${running.http}/healthz`), 200);
  proxy.down = false;
  await becomes(ready, 200);
  assert.deepEqual(await numbers(), [1, 1]);
});

brokerTest("while a broker is waited for at the start, /healthz is 200 and all else is 503", async (uri) => {
  await using proxy = await SeverableProxy.open(uri);
  proxy.down = true;
  const address = `127.0.0.1:${freePort()}`;
  const serving = run([import.meta.resolve(ODD_SERVICE)], {
    broker: proxy.uri,
    config: { WEB_SERVER_ADDRESS: address },
    threads: { permissions: "all" },
    onUnreachable: () => {},
  });
  const url = `http://${address}`;
  await becomes(`${url}/healthz`, 200);
  assert.equal(await textOf(`${url}/readyz`), "not ready\nbroker: not connected\nservices: none runs\n");
  assert.equal(await statusOf(`${url}/exit`), 503);
  assert.equal(await statusOf(`${url}/healthz`, "POST"), 503);
  proxy.down = false;
  await using running = await serving;
  assert.equal(running.http, url);
  assert.equal(await statusOf(`${url}/readyz`), 200);
});

brokerTest("a start that is given up stops answering", async (uri) => {
  await using proxy = await SeverableProxy.open(uri);
  proxy.down = true;
  const address = `127.0.0.1:${freePort()}`;
  const giveUp = new AbortController();
  const serving = run([import.meta.resolve(ODD_SERVICE)], {
    broker: proxy.uri,
    config: { WEB_SERVER_ADDRESS: address },
    threads: { permissions: "all" },
    onUnreachable: () => {},
    signal: giveUp.signal,
  });
  await becomes(`http://${address}/healthz`, 200);
  giveUp.abort();
  await assert.rejects(serving);
  await assert.rejects(statusOf(`http://${address}/healthz`));
});

Deno.test("health is for GET and HEAD alone", async () => {
  await using running = await serveHttp([ODD_SERVICE]);
  for (const path of ["/healthz", "/readyz"]) {
    for (
      const [method, status] of [["HEAD", 200], ["POST", 405], ["DELETE", 405], ["OPTIONS", 204]] as const
    ) {
      const response = await fetch(running.http + path, { method });
      await response.body?.cancel();
      assert.equal(response.status, status, method);
      if (status !== 200) assert.equal(response.headers.get("allow"), "GET, HEAD, OPTIONS");
    }
  }
});

/** The odd service in a module that does not load while there is a file `broken`. */
function breakable(broken: string): string {
  return `import { existsSync } from "node:fs";
if (existsSync(${JSON.stringify(broken)})) throw new Error("broken");
export { default } from ${JSON.stringify(new URL(ODD_SERVICE, import.meta.url).href)};
`;
}

Deno.test("/readyz is 503 from the failed start of the only thread until one starts, and /healthz is 200", async () => {
  const lines: string[] = [];
  configureLogging({ write: (line) => lines.push(line) });
  const folder = await Deno.makeTempDir({ prefix: "enoki-health-" });
  const broken = `${folder}/broken`;
  try {
    await Deno.writeTextFile(`${folder}/service.ts`, breakable(broken));
    await using running = await serveHttp([`${folder}/service.ts`], { max_workers: 1 });
    const ready = `${running.http}/readyz`;
    assert.equal(await statusOf(ready), 200);
    await Deno.writeTextFile(broken, "");
    assert.equal(await statusOf(`${running.http}/exit`), 503);
    await becomes(ready, 503);
    // An attempt to start the thread changes nothing.
    for (
      const attempts = () => lines.filter((line) => /Cannot start another thread/.test(line));
      attempts().length < 3;
    ) {
      assert.equal(await textOf(ready), "not ready\nservice odd: no thread\n");
    }
    assert.match(
      lines.find((line) => /Cannot start another thread/.test(line))!,
      /Error: broken\n +at .*service\.ts/,
    );
    assert.equal(await statusOf(`${running.http}/healthz`), 200);
    await Deno.remove(broken);
    await becomes(ready, 200);
  } finally {
    await Deno.remove(folder, { recursive: true });
    configureLogging({ write: () => {} });
  }
});
