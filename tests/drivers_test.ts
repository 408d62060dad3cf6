import { match, strictEqual } from "node:assert/strict";
import { connect } from "../extensions/connect.ts";
import { memory, MemoryBroker } from "../extensions/memory/mod.ts";
import { run } from "../extensions/run.ts";
import type { ConfigValue } from "../runtime/config/yaml.ts";
import { type DatabaseKind, databaseUri } from "./fixtures/database_probe.ts";
import { servicePath } from "./fixtures/serve_in_memory.ts";
import { receiveDatagrams } from "./fixtures/udp_receiver.ts";

const DRIVERS: readonly (readonly [driver: string, kind: DatabaseKind])[] = [
  ["ioredis", "redis"],
  ["redis", "redis"],
  ["postgres", "postgres"],
  ["pg", "postgres"],
  ["mysql2", "mysql"],
];

const uris = new Map<DatabaseKind, string | undefined>();
for (const kind of new Set(DRIVERS.map(([, kind]) => kind))) uris.set(kind, await databaseUri(kind));

/** What Deno asks for where a program sends by UDP and names no address of its own. */
const ANY_ADDRESS = "0.0.0.0:0";

Deno.test("a driver runs in a service that may use one host of the network, and nothing else", async (test) => {
  await using receiver = await receiveDatagrams();
  const broker = new MemoryBroker();
  const service = (uri: string, ...hosts: readonly string[]): ConfigValue => ({
    permissions: { net: [new URL(uri).host, ...hosts] },
    env: { SERVER_URI: uri },
  });
  const services: Record<string, ConfigValue> = {};
  for (const [driver, kind] of DRIVERS) {
    const uri = uris.get(kind);
    if (uri !== undefined) services[driver] = service(uri);
  }
  services["hot-shots"] = service(receiver.uri, ANY_ADDRESS);
  await using _running = await run([servicePath("drivers.ts")], {
    broker: memory({ broker }),
    config: { services },
  });
  await using cluster = await connect({ broker: memory({ broker }) });
  const ask = (driver: string) => cluster.method(driver, "ask")();
  for (const [driver, kind] of DRIVERS) {
    await test.step({
      name: driver,
      ignore: uris.get(kind) === undefined,
      fn: async () => strictEqual(await ask(driver), "asked"),
    });
  }
  await test.step("hot-shots, which may send by UDP, too", async () => {
    strictEqual(await ask("hot-shots"), "asked");
    match(await receiver.next(), /^asked:1\|c/);
  });
});
