/** What listens in each of several processes: TLS, streams, WebSockets, health, and broadcast events. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { connectSocket } from "../../extensions/websocket/client.ts";
import { connectStream } from "../../extensions/stream/client.ts";
import { connect } from "../../extensions/run.ts";
import { Program } from "../e2e/program.ts";
import { freePort } from "../fixtures/free_port.ts";
import type shared from "../fixtures/services/shared_listeners.ts";
import { PROGRAM, SERVICES, withBroker } from "./command.ts";

const TLS = new URL("../fixtures/tls/", import.meta.url);
const AUTHORITY = Deno.readTextFileSync(new URL("authority.pem", TLS));
const PEM = ["cert", "key"].map((part) =>
  `${part}: ${new URL(`localhost.${part === "key" ? "key" : "pem"}`, TLS).pathname}`
).join(", ");

/** Two processes of the service. */
function program(broker: string, http: string, defined: Readonly<Record<string, string>>): Program {
  const defines = Object.entries(defined).flatMap(([key, value]) => ["--define", `${key}=${value}`]);
  const options = ["--processes", "2", "--broker", broker, "--http", http, "--log-format", "json"];
  const module = `${SERVICES}shared_listeners.ts`;
  return new Program([...PROGRAM, "run", ...options, ...defines, module]);
}

/** Asks over connections of their own until two processes have answered. */
async function bothOf(ask: () => Promise<unknown>): Promise<readonly string[]> {
  const pids = new Set<string>();
  while (pids.size < 2) pids.add(String(await ask()));
  return [...pids].sort();
}

/** A client of HTTP that keeps no connection: the system chooses the process for each. */
function httpClient(): Deno.HttpClient {
  return Deno.createHttpClient({ caCerts: [AUTHORITY], poolMaxIdlePerHost: 0 });
}

/** What the stream at an address answers. */
async function streamAnswer(address: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const connection = await connectStream(address, {
    connected: (connection) => connection.write("who"),
    received(connection, line) {
      resolve(line);
      connection.close();
    },
    lost: (_connection, { code }) => reject(new Error(code)),
  }, { framing: "lines", caCerts: [AUTHORITY] });
  await connection.ended;
  return await promise;
}

/** What a WebSocket answers. */
async function socketAnswer(url: string): Promise<number> {
  const socket = connectSocket<typeof shared>(url);
  try {
    return await socket.call.ask();
  } finally {
    socket.close();
  }
}

Deno.test({
  name: "two processes share what listens without TLS",
  ignore: Deno.build.os !== "linux",
  fn: (t) =>
    withBroker(async (broker) => {
      await using connection = await connect({ broker });
      const [http, listen, health] = [freePort(), freePort(), freePort()];
      await using running = program(broker, `127.0.0.1:${http}`, {
        LISTEN: `tcp://127.0.0.1:${listen}`,
        HEALTH_ADDRESS: `127.0.0.1:${health}`,
      });
      await running.says('"Ready"');
      using client = httpClient();
      const pids = await bothOf(async () =>
        await (await fetch(`http://127.0.0.1:${http}/pid`, { client })).text()
      );
      const healthy = () =>
        Promise.all([0, 1].map(async (index) => {
          const answer = await fetch(`http://127.0.0.1:${health + index}/healthz`, { client });
          await answer.body?.cancel();
          return answer.status;
        }));

      await t.step("connections of streams", async () => {
        deepStrictEqual(await bothOf(() => streamAnswer(`tcp://127.0.0.1:${listen}`)), pids);
      });

      await t.step("WebSockets", async () => {
        deepStrictEqual(await bothOf(() => socketAnswer(`ws://127.0.0.1:${http}/ws`)), pids);
      });

      await t.step("and each hears a broadcast event, though both have one broadcastId", async () => {
        await connection.client<typeof shared>("shared_listeners").tell("the news");
        for (const pid of pids) await running.says(`the news was heard in ${pid}`);
      });

      await t.step("and each has a port of its own for health", async () => {
        deepStrictEqual(await healthy(), [200, 200]);
      });

      await t.step("and has it again after a restart", async () => {
        running.kill("SIGHUP");
        await running.says("All processes are new");
        deepStrictEqual(await healthy(), [200, 200]);
      });

      running.kill("SIGTERM");
      strictEqual((await running.end()).status, 0);
    }),
});

Deno.test({
  name: "two processes share what listens with TLS",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const [http, listen] = [freePort(), freePort()];
    await using running = program("memory:", `localhost:${http}`, {
      LISTEN: `tls://localhost:${listen}`,
      HTTP_TLS: `{ ${PEM} }`,
      STREAM_TLS: `{ ${PEM} }`,
    });
    await running.says('"Ready"');
    using client = httpClient();
    const pids = await bothOf(async () =>
      await (await fetch(`https://localhost:${http}/pid`, { client })).text()
    );
    deepStrictEqual(await bothOf(() => streamAnswer(`tls://localhost:${listen}`)), pids);
    running.kill("SIGTERM");
    strictEqual((await running.end()).status, 0);
  },
});

Deno.test({
  name: "two processes share what listens for clients with certificates",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const [http, listen] = [freePort(), freePort()];
    await using running = program("memory:", `localhost:${http}`, {
      LISTEN: `tls://localhost:${listen}`,
      STREAM_TLS: `{ ${PEM}, client_ca: ${new URL("authority.pem", TLS).pathname} }`,
    });
    await running.says('"Ready"');
    const [cert, key] = ["pem", "key"].map((part) =>
      Deno.readTextFileSync(new URL(`localhost.${part}`, TLS))
    );
    const pids = await bothOf(async () => {
      const options = { hostname: "localhost", port: listen, caCerts: [AUTHORITY], cert: cert!, key: key! };
      using connection = await Deno.connectTls(options);
      await connection.write(new TextEncoder().encode("who\n"));
      const answer = new Uint8Array(64);
      return new TextDecoder().decode(answer.subarray(0, await connection.read(answer) ?? 0)).trim();
    });
    match(pids.join(), /^\d+,\d+$/);
    running.kill("SIGTERM");
    strictEqual((await running.end()).status, 0);
  },
});
