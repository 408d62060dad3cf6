import assert from "node:assert/strict";
import { answerTo, enoki, GREETING, RUNTIME, SERVICES, withService } from "./command.ts";

Deno.test("enoki describe shows services, entrypoints and dependencies", async () => {
  assert.deepEqual(await enoki(["describe", `${SERVICES}two_services.ts`]), {
    status: 0,
    out: `orders (export orders)
  rpc  place(sku, express)
  needs log

stock (export stock)
  rpc  count
`,
    err: "",
  });
});

Deno.test("enoki describe --json prints the manifest", async () => {
  const { out } = await enoki(["describe", "--json", GREETING]);
  assert.deepEqual(JSON.parse(out), [{
    export: "default",
    name: "greeting_service",
    entrypoints: [{ method: "hello", kind: "rpc", options: {} }],
    dependencies: [],
  }]);
});

Deno.test("enoki describe shows one service where one is named", async () => {
  const { out } = await enoki(["describe", `${SERVICES}two_services.ts:stock`]);
  assert.doesNotMatch(out, /orders/);
});

Deno.test("enoki describe fails on a module that throws, with the module's own stack", async () => {
  const { status, out, err } = await enoki(["describe", `${SERVICES}throws_at_top.ts`]);
  assert.equal(status, 2);
  assert.equal(out, "");
  assert.match(
    err,
    /^Cannot load the service: RangeError: no such ledger\n +at open \(.*throws_at_top\.ts:2:9\)\n/,
  );
  assert.ok(!err.includes(RUNTIME), err);
});

Deno.test("enoki describe shows the services of several modules", async () => {
  const { out } = await enoki(["describe", `${SERVICES}two_services.ts:stock`, GREETING]);
  assert.match(out, /^stock .*\n.*\n\ngreeting_service\n/);
});

Deno.test("enoki describe loads the module of a named service with the service's own settings", async () => {
  const settings = "services={reads_at_top: {env: {ENOKI_TOKEN: five}}}";
  const module = `${SERVICES}reads_at_top.ts:reads_at_top`;
  const { status, err } = await enoki(["describe", "--define", settings, module]);
  assert.deepEqual([status, err], [0, ""]);
});

const SHOP = new URL("../extensions/http/openapi_service.ts", import.meta.url).pathname;

Deno.test("enoki describe --openapi prints the HTTP entrypoints of modules as OpenAPI 3.1", async () => {
  const flags = ["--title", "Shop", "--api-version", "1.0"];
  const { status, out, err } = await enoki(["describe", "-A", "--openapi", ...flags, SHOP, GREETING]);
  assert.equal(status, 0);
  assert.equal(err, "");
  const { openapi, info, servers, tags, paths } = JSON.parse(out);
  assert.equal(openapi, "3.1.0");
  assert.deepEqual(info, { title: "Shop", version: "1.0" });
  assert.equal(servers, undefined);
  assert.deepEqual(tags, [{ name: "shop" }]);
  assert.equal(
    paths["/orders"].post.requestBody.content["application/json"].schema.$ref,
    "#/components/schemas/Order",
  );
});

Deno.test("enoki describe --openapi takes title, version and servers from the configuration", async () => {
  const define = 'HTTP_OPENAPI={title: Shop, version: "2", servers: ["https://shop.example"]}';
  const { out } = await enoki(["describe", "-A", "--openapi", "--define", define, "--title", "Other", SHOP]);
  const { info, servers } = JSON.parse(out);
  assert.deepEqual(info, { title: "Other", version: "2" });
  assert.deepEqual(servers, [{ url: "https://shop.example" }]);
});

Deno.test("enoki describe --openapi says what it leaves out, apart from the document", async () => {
  const { status, out, err } = await enoki(["describe", "--openapi", `${SERVICES}ambiguous_routes.ts`]);
  assert.equal(status, 0);
  assert.deepEqual(Object.keys(JSON.parse(out).paths), ["/orders/{id}"]);
  assert.match(err, /^Left GET \/orders\/<uuid:key> of orders\.find out of the OpenAPI document: [^\n]+\n$/);
});

Deno.test("enoki describe --openapi fails on a module that throws while it is described", async () => {
  const { status, out, err } = await enoki(["describe", "--openapi", `${SERVICES}throws_when_described.ts`]);
  assert.equal(status, 2);
  assert.equal(out, "");
  assert.match(err, /^Cannot load the service: RangeError: no words for it\n/);
});

Deno.test("enoki describe makes the same documents of a service that runs as of its module", () =>
  withService(SHOP, async (broker) => {
    await answerTo(broker);
    for (const document of ["--openapi", "--asyncapi"]) {
      const { out: expected } = await enoki(["describe", "-A", document, SHOP]);
      const live = await enoki(["describe", document, "shop", "--broker", broker]);
      assert.equal(live.status, 0, live.err);
      assert.deepEqual(JSON.parse(live.out), JSON.parse(expected));
    }
  }, ["-A", "--http", "127.0.0.1:0"]));

Deno.test("enoki describe --asyncapi prints what modules take from the broker, with the names of the settings", async () => {
  const flags = ["--title", "Shop", "--define", "rpc_exchange=own-rpc", "--asyncapi"];
  const { status, out, err } = await enoki(["describe", ...flags, `${SERVICES}two_services.ts`]);
  assert.deepEqual([status, err], [0, ""]);
  const { asyncapi, info, channels } = JSON.parse(out);
  assert.deepEqual([asyncapi, info.title], ["3.0.0", "Shop"]);
  assert.equal(channels["orders.place"].bindings.amqp.exchange.name, "own-rpc");
});

Deno.test("enoki describe takes --json or --openapi", async () => {
  const { status, err } = await enoki(["describe", "--json", "--openapi", GREETING]);
  assert.equal(status, 2);
  assert.match(err, /--openapi.*--json/);
});
