import { Validator } from "npm:@seriousme/openapi-schema-validator@2.11.0";
import assert from "node:assert/strict";
import { z } from "zod";
import { openApiDocument, type OpenApiOptions } from "../../../../extensions/http/openapi/document.ts";
import { http, rpc, service } from "../../../../mod.ts";
import { describe, describeInDetail } from "../../../../runtime/service/manifest.ts";
import type { EntrypointTable } from "../../../../runtime/service/entrypoint.ts";
import type { PlainRecord } from "../../../../runtime/message/plain.ts";
import type { Service } from "../../../../runtime/service/service.ts";

// deno-lint-ignore no-explicit-any -- tests look deep into documents
type Document = any;

/** A service whose handlers nobody calls. */
function serviceOf(name: string, entrypoints: EntrypointTable): Service {
  const handlers = Object.fromEntries(Object.keys(entrypoints).map((method) => [method, () => {}]));
  return service(name, { entrypoints, handlers: handlers as never }) as Service;
}

/** The document of services, which the validator has nothing against. */
async function documentOf(services: readonly Service[], options?: OpenApiOptions): Promise<Document> {
  const manifests = await Promise.all(
    services.map(async (each) => structuredClone(await describeInDetail(each))),
  );
  const document = openApiDocument(manifests, options);
  const { valid, errors } = await new Validator().validate(structuredClone(document) as Document);
  assert.ok(valid, JSON.stringify(errors));
  return document;
}

/** The document of one service `shop`. */
function documentOfShop(entrypoints: EntrypointTable, options?: OpenApiOptions): Promise<Document> {
  return documentOf([serviceOf("shop", entrypoints)], options);
}

const SKU = z.string().min(3).meta({ id: "Sku" });

Deno.test("openApiDocument() is valid for all that an entrypoint may have", async () => {
  const document = await documentOfShop({
    list: [http("GET", "/orders"), rpc()],
    place: http("POST", "/orders", {
      summary: "Places an order",
      description: "At **once**.",
      expected: ["OutOfStock"],
      input: { query: z.object({ dry: z.stringbool().optional() }), body: z.object({ sku: SKU }) },
      output: z.object({ id: z.int(), sku: SKU }),
    }),
  }, { title: "Shop", version: "1.2", servers: ["https://shop.example"] });
  assert.equal(document.openapi, "3.1.0");
  assert.deepEqual(document.info, { title: "Shop", version: "1.2" });
  assert.deepEqual(document.servers, [{ url: "https://shop.example" }]);
  assert.deepEqual(document.tags, [{ name: "shop" }]);
  const { post } = document.paths["/orders"];
  assert.equal(post.summary, "Places an order");
  assert.equal(post.description, "At **once**.");
  assert.deepEqual(post.tags, ["shop"]);
  const { schema } = post.requestBody.content["application/json"];
  assert.deepEqual(schema.properties, { sku: { $ref: "#/components/schemas/Sku" } });
  assert.deepEqual(document.components.schemas.Sku, { type: "string", minLength: 3 });
  assert.deepEqual(post.responses[200].content["application/json"].schema.properties.sku, {
    $ref: "#/components/schemas/Sku",
  });
});

for (
  const [rule, path, schemas] of [
    ["/", "/", []],
    ["/orders/:id", "/orders/{id}", [{ type: "string" }]],
    ["/orders/<id>/", "/orders/{id}/", [{ type: "string" }]],
    ["/orders/<int:id>", "/orders/{id}", [{ type: "integer", minimum: 0 }]],
    ["/orders/<int(signed=true,max=9):id>", "/orders/{id}", [{ type: "integer", maximum: 9 }]],
    ["/orders/<uuid:id>", "/orders/{id}", [{ type: "string", format: "uuid" }]],
    ["/<any(a,b):kind>/new", "/{kind}/new", [{ type: "string", enum: ["a", "b"] }]],
    ["/<string(length=2):language>", "/{language}", [{ type: "string", minLength: 2, maxLength: 2 }]],
    ["/<name>.<int:version>.zip", "/{name}.{version}.zip", [{ type: "string" }, {
      type: "integer",
      minimum: 0,
    }]],
    ["/files/<path:rest>", "/files/{rest}", [{ type: "string", description: "May contain slashes" }]],
  ] as const
) {
  Deno.test(`openApiDocument() has ${rule} as ${path}`, async () => {
    const { paths } = await documentOfShop({ show: http("GET", rule) });
    assert.deepEqual(Object.keys(paths), [path]);
    const { parameters = [] } = paths[path].get;
    assert.deepEqual(parameters.map((each: PlainRecord) => each["schema"]), schemas);
    assert.ok(parameters.every((each: PlainRecord) => each["in"] === "path" && each["required"]));
  });
}

Deno.test("openApiDocument() has a path variable's schema with its rule's", async () => {
  const params = z.object({ id: z.number().max(99).describe("Its number") });
  const { paths } = await documentOfShop({ show: http("GET", "/orders/<int:id>", { input: { params } }) });
  assert.deepEqual(paths["/orders/{id}"].get.parameters, [{
    name: "id",
    in: "path",
    required: true,
    schema: {
      allOf: [{ type: "integer", minimum: 0 }, { type: "number", maximum: 99, description: "Its number" }],
    },
  }]);
});

Deno.test("openApiDocument() has a parameter for each property of the query", async () => {
  const query = z.object({ page: z.coerce.number().default(1), q: z.string().describe("What to find") });
  const { paths } = await documentOfShop({ find: http("GET", "/orders", { input: { query } }) });
  assert.deepEqual(paths["/orders"].get.parameters, [
    { name: "page", in: "query", schema: { default: 1, type: "number" } },
    {
      name: "q",
      in: "query",
      required: true,
      description: "What to find",
      schema: { type: "string", description: "What to find" },
    },
  ]);
});

Deno.test("openApiDocument() has one parameter for a query without known names", async () => {
  const query = z.record(z.string(), z.string());
  const { paths } = await documentOfShop({ find: http("GET", "/orders", { input: { query } }) });
  const [{ name, style, explode, schema }, ...others] = paths["/orders"].get.parameters;
  assert.deepEqual([name, style, explode, schema.type, others], ["query", "form", true, "object", []]);
});

Deno.test("openApiDocument() finds the properties of a query that has a name of its own", async () => {
  const query = z.object({ page: z.string() }).meta({ id: "Page" });
  const { paths } = await documentOfShop({ find: http("GET", "/orders", { input: { query } }) });
  assert.deepEqual(paths["/orders"].get.parameters.map((each: PlainRecord) => each["name"]), ["page"]);
});

Deno.test("openApiDocument() survives schemas that refer to themselves", async () => {
  const tree: z.ZodType = z.lazy(() => z.object({ kids: z.array(tree) }));
  const { paths, components } = await documentOfShop({
    grow: http("POST", "/trees", { input: { body: tree }, output: tree }),
  });
  assert.ok(paths["/trees"].post.requestBody);
  assert.match(
    JSON.stringify(components.schemas),
    /"kids":\{"type":"array","items":\{"\$ref":"#\/components/,
  );
});

Deno.test("openApiDocument() has a schema that cannot be described as one that allows everything", async () => {
  const body = {
    "~standard": { version: 1 as const, vendor: "acme", validate: (value: unknown) => ({ value }) },
  };
  const { paths } = await documentOfShop({ place: http("POST", "/orders", { input: { body } }) });
  assert.deepEqual(paths["/orders"].post.requestBody.content["application/json"].schema, {
    description: "This schema cannot be described: acme does not offer it as JSON Schema",
  });
});

Deno.test("openApiDocument() has texts as text/plain", async () => {
  const { paths } = await documentOfShop({
    shout: http("POST", "/shout", { input: { body: z.string() }, output: SKU }),
  });
  const { requestBody, responses } = paths["/shout"].post;
  assert.deepEqual(Object.keys(requestBody.content), ["text/plain"]);
  assert.deepEqual(Object.keys(responses[200].content), ["text/plain"]);
});

Deno.test("openApiDocument() has the errors that a route may be answered with", async () => {
  const { paths } = await documentOfShop({
    plain: http("GET", "/plain"),
    expecting: http("GET", "/expecting", { expected: ["NotFound"] }),
    checked: http("GET", "/checked", { input: { query: z.object({}) } }),
    body: http("POST", "/body", { input: { body: z.object({}) } }),
    timed: http("PUT", "/timed", { timeout: 1_000 }),
  });
  const statuses = (path: string, method = "get") => Object.keys(paths[path][method].responses);
  assert.deepEqual(statuses("/plain"), ["200", "500", "503"]);
  assert.deepEqual(statuses("/expecting"), ["200", "400", "500", "503"]);
  assert.deepEqual(statuses("/checked"), ["200", "422", "500", "503"]);
  assert.deepEqual(statuses("/body", "post"), ["200", "400", "413", "422", "500", "503"]);
  assert.deepEqual(statuses("/timed", "put"), ["200", "413", "500", "503", "504"]);
  assert.match(paths["/expecting"].get.responses[400].description, /NotFound/);
});

Deno.test("openApiDocument() says nothing of errors that the service formats in its own way", async () => {
  const { paths } = await documentOfShop({
    show: http("GET", "/orders", { expected: ["NotFound"], onError: () => [404, "gone"] }),
  });
  const { responses } = paths["/orders"].get;
  assert.equal(responses[400].content, undefined);
  assert.equal(responses[500].content, undefined);
});

Deno.test("openApiDocument() has every method but HEAD and OPTIONS, each with an id of its own", async () => {
  const omissions: string[] = [];
  const { paths } = await documentOfShop({
    show: [http("GET,POST,HEAD,OPTIONS", "/a"), http("GET", "/b")],
    list: http("OPTIONS", "/c"),
  }, { onOmission: (message) => omissions.push(message) });
  assert.deepEqual(omissions, []);
  assert.deepEqual(Object.keys(paths), ["/a", "/b"]);
  assert.deepEqual(Object.keys(paths["/a"]), ["get", "post"]);
  assert.deepEqual(
    [paths["/a"].get, paths["/a"].post, paths["/b"].get].map(({ operationId }) => operationId),
    ["shop.show", "shop.show.2", "shop.show.3"],
  );
});

Deno.test("openApiDocument() has rules that differ in names only under one path", async () => {
  const { paths } = await documentOfShop({
    show: http("GET", "/orders/<int:id>"),
    remove: http("DELETE", "/orders/:key"),
  });
  assert.deepEqual(Object.keys(paths), ["/orders/{id}"]);
  assert.deepEqual(paths["/orders/{id}"].delete.parameters[0].name, "id");
});

Deno.test("openApiDocument() leaves out, and says so, what OpenAPI cannot tell apart or does not know", async () => {
  const omissions: string[] = [];
  const { paths } = await documentOfShop({
    show: http("GET", "/orders/<int:id>"),
    find: http("GET", "/orders/<uuid:key>"),
    look: http("PROPFIND", "/orders"),
  }, { onOmission: (message) => omissions.push(message) });
  assert.deepEqual(Object.keys(paths), ["/orders/{id}"]);
  assert.equal(paths["/orders/{id}"].get.operationId, "shop.show");
  assert.deepEqual(omissions, [
    "Left GET /orders/<uuid:key> of shop.find out of the OpenAPI document: OpenAPI cannot distinguish it " +
    "from GET /orders/{id} of shop.show",
    "Left PROPFIND /orders of shop.look out of the OpenAPI document: OpenAPI has no such method",
  ]);
});

Deno.test("openApiDocument() is named after its services, without those that have no routes", async () => {
  const document = await documentOf([
    serviceOf("shop", { list: http("GET", "/orders") }),
    serviceOf("mail", { send: rpc() }),
    serviceOf("stock", { count: http("GET", "/stock") }),
  ]);
  assert.deepEqual(document.info, { title: "shop, stock", version: "0.0.0" });
  assert.deepEqual(document.tags, [{ name: "shop" }, { name: "stock" }]);
});

Deno.test("openApiDocument() is valid where there is nothing to describe", async () => {
  assert.deepEqual((await documentOf([])).paths, {});
});

Deno.test("openApiDocument() is valid without the details of the entrypoints", async () => {
  const manifest = describe(serviceOf("shop", { list: http("GET", "/orders/:id") }));
  const { valid } = await new Validator().validate(openApiDocument([manifest]) as Document);
  assert.ok(valid);
});

Deno.test("describeInDetail() has schemas, and describe() has none", async () => {
  const shop = serviceOf("shop", { place: http("POST", "/orders", { input: { body: z.string() } }) });
  assert.equal(describe(shop).entrypoints[0]!.details, undefined);
  assert.ok((await describeInDetail(shop)).entrypoints[0]!.details);
});
