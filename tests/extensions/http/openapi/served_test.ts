import { Validator } from "npm:@seriousme/openapi-schema-validator@2.11.0";
import { Ajv2020, type ValidateFunction } from "npm:ajv@8.20.0/dist/2020.js";
import assert from "node:assert/strict";
import type { Config, ConfigValue } from "../../../../extensions/run.ts";
import { serveHttp, WEB_SERVICE } from "../web_stage.ts";

const SHOP = new URL("../openapi_service.ts", import.meta.url).pathname;
const PAYMENTS = new URL("../../../fixtures/services/described_payments.ts", import.meta.url).pathname;

// deno-lint-ignore no-explicit-any -- tests look deep into documents
type Document = any;

function serveShop(openapi: ConfigValue, config: Config = {}) {
  return serveHttp([SHOP], { HTTP_OPENAPI: openapi, ...config });
}

/** What a document says of a place, which a value is then held against. */
function validatorOf(document: Document, ...path: readonly (string | number)[]): ValidateFunction {
  const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema(document, "document");
  const pointer = path.map((step) => encodeURIComponent(String(step).replaceAll("/", "~1"))).join("/");
  return ajv.compile({ $ref: `document#/${pointer}` });
}

/** A value that a schema of the service above allows. */
function sampleOf(schema: Document, document: Document): unknown {
  if (schema.$ref) return sampleOf(document.components.schemas[schema.$ref.split("/").at(-1)], document);
  if (schema.allOf) return sampleOf(Object.assign({}, ...schema.allOf), document);
  if (schema.enum) return schema.enum[0];
  switch (schema.type) {
    case "integer":
      return Math.max(schema.minimum ?? 1, 1);
    case "number":
      return 1.5;
    case "array":
      return [];
    case "object":
      return Object.fromEntries(
        (schema.required ?? []).map((name: string) => [name, sampleOf(schema.properties[name], document)]),
      );
    default:
      return schema.format === "uuid" ? "5b9ac0b8-8f3c-4c8e-9a51-0c1d6f6a2b10" : "text";
  }
}

/** The request that an operation describes, as far as it requires anything. */
function requestOf(document: Document, method: string, template: string, operation: Document): Request {
  let path = template;
  const query = new URLSearchParams();
  for (const { name, in: place, required, schema } of operation.parameters ?? []) {
    const value = String(sampleOf(schema, document));
    if (place === "path") path = path.replace(`{${name}}`, value);
    else if (required) query.set(name, value);
  }
  const [type] = Object.keys(operation.requestBody?.content ?? {});
  const body = type && sampleOf(operation.requestBody.content[type].schema, document);
  return new Request(`${document.servers[0].url}${path}?${query}`, {
    method: method.toUpperCase(),
    ...(type && {
      headers: { "content-type": type },
      body: type === "application/json" ? JSON.stringify(body) : String(body),
    }),
  });
}

Deno.test("/openapi.json is valid, and all requests that it describes are answered as it says", async () => {
  await using running = await serveShop(true);
  const response = await fetch(`${running.http}/openapi.json`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/json");
  const document: Document = await response.json();
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  assert.ok(valid, JSON.stringify(errors));
  assert.deepEqual(document.info, { title: "shop", version: "0.0.0" });
  assert.deepEqual(document.servers, [{ url: running.http }]);
  delete document.paths["/lie"];
  const asked: string[] = [];
  for (const [path, item] of Object.entries<Document>(document.paths)) {
    for (const [method, operation] of Object.entries<Document>(item)) {
      const request = requestOf(document, method, path, operation);
      const answer = await fetch(request);
      assert.equal(answer.status, 200, `${method} ${request.url}: ${answer.status}`);
      const [type] = Object.keys(operation.responses[200].content);
      assert.equal(answer.headers.get("content-type")?.split(";")[0], type);
      const body = type === "application/json" ? await answer.json() : await answer.text();
      const schema = ["paths", path, method, "responses", 200, "content", type!, "schema"];
      const validate = validatorOf(document, ...schema);
      assert.ok(validate(body), JSON.stringify(validate.errors));
      asked.push(operation.operationId);
    }
  }
  assert.deepEqual(asked, [
    "shop.show",
    "shop.place",
    "shop.place.2",
    "shop.sort",
    "shop.shout",
    "shop.file",
  ]);
});

Deno.test("/openapi.json describes the answers to bad requests", async () => {
  await using running = await serveShop(true, { HTTP_MAX_BODY: 1_000 });
  const document: Document = await (await fetch(`${running.http}/openapi.json`)).json();
  const answers = [
    ["post", "/orders", 422, { body: '{"sku":7}' }],
    ["post", "/orders", 400, { body: "{", headers: { accept: "application/json" } }],
    ["get", "/lie", 500, {}],
    ["post", "/shout", 413, { body: JSON.stringify("x".repeat(2_000)) }],
  ] as const;
  for (const [method, path, status, { body = null, headers = {} }] of answers as Document) {
    const answer = await fetch(`${running.http}${path}`, {
      method,
      body,
      headers: { ...(body && { "content-type": "application/json" }), ...headers },
    });
    assert.equal(answer.status, status);
    const schema = ["paths", path, method, "responses", status, "content", "application/json", "schema"];
    const validate = validatorOf(document, ...schema);
    assert.ok(validate(await answer.json()), JSON.stringify(validate.errors));
  }
});

Deno.test("/openapi.json is not there unless HTTP_OPENAPI says so", async () => {
  for (const config of [{}, { HTTP_OPENAPI: false }]) {
    await using running = await serveHttp([SHOP], config);
    const response = await fetch(`${running.http}/openapi.json`);
    assert.equal(response.status, 404);
    await response.body?.cancel();
  }
});

Deno.test("HTTP_OPENAPI says where the document is, what it is called and which servers it names", async () => {
  await using running = await serveShop({
    path: "/docs/api.json",
    title: "Shop",
    version: "1.0",
    servers: ["https://shop.example"],
  });
  const { info, servers }: Document = await (await fetch(`${running.http}/docs/api.json`)).json();
  assert.deepEqual(info, { title: "Shop", version: "1.0" });
  assert.deepEqual(servers, [{ url: "https://shop.example" }]);
});

Deno.test("HTTP_OPENAPI may be the path alone", async () => {
  await using running = await serveShop("/api.json");
  const document: Document = await (await fetch(`${running.http}/api.json`)).json();
  assert.equal(document.openapi, "3.1.0");
});

Deno.test("HTTP_ASYNCAPI has the AsyncAPI document served beside it, for the same services", async () => {
  const asyncapi = { path: "/messages.json", title: "Shop", servers: ["amqp://me:secret@broker.example"] };
  await using running = await serveHttp([SHOP, PAYMENTS], { HTTP_OPENAPI: true, HTTP_ASYNCAPI: asyncapi });
  const document: Document = await (await fetch(`${running.http}/messages.json`)).json();
  assert.deepEqual([document.asyncapi, document.info.title], ["3.0.0", "Shop"]);
  assert.deepEqual(document.servers, { broker: { host: "broker.example", protocol: "amqp" } });
  assert.ok("payments.charge" in document.operations);
  const { tags }: Document = await (await fetch(`${running.http}/openapi.json`)).json();
  assert.deepEqual(tags, [{ name: "shop" }]);
});

Deno.test("the OpenAPI document has the services of all modules", async () => {
  await using running = await serveHttp([SHOP, WEB_SERVICE], { HTTP_OPENAPI: true });
  const { tags }: Document = await (await fetch(`${running.http}/openapi.json`)).json();
  assert.deepEqual(tags, [{ name: "shop" }, { name: "web" }]);
});

Deno.test("the OpenAPI document changes with a service that is reloaded", async () => {
  const folder = await Deno.makeTempDir({ prefix: "enoki-openapi-" });
  try {
    const module = `${folder}/shop.ts`;
    const write = (entrypoint: string) =>
      Deno.writeTextFile(
        module,
        `import { http, rpc, service } from "${new URL("../../../../mod.ts", import.meta.url)}";
        export default service("shop", { entrypoints: { show: ${entrypoint} }, handlers: { show: () => "" } });`,
      );
    const summary = async () => (await ask()).paths["/a"].get.summary;
    await write("rpc()");
    await using running = await serveHttp([module], { HTTP_OPENAPI: true });
    const ask = async (): Promise<Document> => await (await fetch(`${running.http}/openapi.json`)).json();
    assert.equal(running.http, undefined);
    await write('http("GET", "/a", { summary: "one" })');
    await running.reload();
    assert.equal(await summary(), "one");
    await write('http("GET", "/a", { summary: "two" })');
    await running.reload();
    assert.equal(await summary(), "two");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("run() refuses servers of an AsyncAPI document that are no URIs", async () => {
  await assert.rejects(serveHttp([SHOP], { HTTP_ASYNCAPI: { servers: ["broker"] } }), (error: Error) => {
    assert.match(
      error.message,
      /^Cannot use config key "HTTP_ASYNCAPI\.servers": .*, expected URIs such as amqp:/,
    );
    return true;
  });
});

Deno.test("run() refuses an OpenAPI document where a service has a route", async () => {
  await assert.rejects(serveHttp([WEB_SERVICE], { HTTP_OPENAPI: "/text" }), {
    name: "ConfigurationError",
    message: "Cannot serve GET /text twice: web.text and the OpenAPI document have it",
  });
});

for (
  const [value, key, expected] of [
    [7, "HTTP_OPENAPI", "true, a path, or a mapping with path"],
    ["openapi.json", "HTTP_OPENAPI", "a path such as /openapi.json"],
    [{ path: "/<int:id>" }, "HTTP_OPENAPI.path", "a path such as /openapi.json"],
    [{ version: 1 }, "HTTP_OPENAPI.version", 'text, in quotes where it looks like a number: "1.0"'],
  ] as const
) {
  Deno.test(`run() refuses HTTP_OPENAPI: ${JSON.stringify(value)}`, async () => {
    await assert.rejects(serveHttp([SHOP], { HTTP_OPENAPI: value }), (error: Error) => {
      assert.equal(error.name, "ConfigurationError");
      assert.ok(error.message.startsWith(`Cannot use config key "${key}": got `), error.message);
      assert.ok(error.message.endsWith(`, expected ${expected}`), error.message);
      return true;
    });
  });
}
