/** Nameko's own examples as classes. */
import { deepStrictEqual, equal } from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { connect } from "../../../extensions/connect.ts";
import { DEFAULT_EXCHANGE } from "../../../extensions/rpc/settings.ts";
import { rpcTopology } from "../../../extensions/rpc/topology.ts";
import { type Config, run } from "../../../extensions/run.ts";
import { Child } from "../../fixtures/child.ts";
import { NamekoProcess, namekoTest } from "../../fixtures/nameko.ts";
import { serveHttp } from "../http/web_stage.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

function example(module: string): string {
  return `${ROOT}examples/nameko/${module}.ts`;
}

Deno.test("Nameko's greeting_service, service_x and service_y answer as Python's do", async () => {
  const broker = new MemoryBroker();
  const threads = { kind: "node", permissions: "all" } as const;
  await using _running = await run([example("hello"), example("rpc")], {
    broker: memory({ broker }),
    threads,
  });
  await using connection = await connect({ broker: memory({ broker }) });
  const greeting = connection.client("greeting_service");
  equal(await greeting["hello"]!.kwargs({ name: "world" }), "Hello, world!");
  equal(await connection.client("service_x")["remote_method"]!("hello"), "hello-x-y");
});

namekoTest("Nameko itself calls its own examples as classes", async (uri) => {
  const { queueOf } = rpcTopology(DEFAULT_EXCHANGE);
  const sweep = async () => {
    await using transport = amqp(uri);
    await transport.connect();
    for (const name of ["greeting_service", "service_x", "service_y"]) {
      await transport.deleteQueue(queueOf(name));
    }
  };
  await using stack = new AsyncDisposableStack();
  await sweep();
  stack.defer(sweep);
  const threads = { kind: "node", permissions: "all" } as const;
  stack.use(await run([example("hello"), example("rpc")], { broker: uri, threads }));
  const python = stack.use(await NamekoProcess.start("call.py", uri));
  deepStrictEqual(
    await python.call({ service: "greeting_service", method: "hello", kwargs: { name: "world" } }),
    { result: "Hello, world!" },
  );
  deepStrictEqual(
    await python.call({ service: "service_x", method: "remote_method", args: ["hello"] }),
    { result: "hello-x-y" },
  );
});

for (const [module, line] of [["events", "handler_service : payload"], ["timer", "pong"]] as const) {
  Deno.test(`Nameko's example ${module} prints "${line}"`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "enoki-nameko-" });
    try {
      const broker = `local://${folder}/broker.sock`;
      await using serving = new Child(
        Deno.execPath(),
        ["run", "-A", "--quiet", "cli.ts", "run", "--broker", broker, example(module)],
        { cwd: ROOT, env: { NO_COLOR: "1" } },
      );
      await serving.says("Ready on");
      if (module === "events") {
        await using connection = await connect({ broker });
        await connection.client("emitter_service")["emit_event"]!("payload");
      }
      await serving.says(` ${line}\n`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** Module, configuration, request and answer. */
const REQUESTS: readonly (readonly [string, Config, string, string | undefined, number, string])[] = [
  ["http", {}, "/get/1000", undefined, 200, '{"values": 1000}'],
  ["http", {}, "/post", "post body", 200, "received: post body"],
  ["http", {}, "/multi", "", 200, "POST"],
  ["advanced_http", {}, "/privileged", undefined, 403, "Forbidden"],
  ["advanced_http", {}, "/headers", undefined, 201, ""],
  ["advanced_http", {}, "/custom", undefined, 200, "payload"],
  [
    "custom_exception",
    {},
    "/custom_exception",
    undefined,
    400,
    `{"error": "INVALID_ARGUMENTS", "message": "Argument 'foo' is required"}`,
  ],
  ["config", {}, "/foo", undefined, 403, "FeatureNotEnabled"],
  ["config", { FOO_FEATURE_ENABLED: true }, "/foo", undefined, 200, "foo"],
];

for (const [module, config, path, body, status, text] of REQUESTS) {
  Deno.test(`Nameko's example ${module} answers ${path} with ${status} ${text}`, async () => {
    await using running = await serveHttp([example(module)], config);
    const response = await fetch(running.http + path, body === undefined ? {} : { method: "POST", body });
    deepStrictEqual([response.status, await response.text()], [status, text]);
    if (status === 201) equal(response.headers.get("location"), "http://www.example.com/widget/1");
  });
}
