import assert from "node:assert/strict";
import { DocumentRoute } from "../../../../extensions/http/openapi/document_route.ts";
import type { IncomingRequest } from "../../../../extensions/http/request_handler.ts";
import type { Manifest } from "../../../../runtime/service/manifest.ts";

const INCOMING: IncomingRequest = {
  request: new Request("http://localhost/openapi.json"),
  method: "GET",
  url: "http://localhost/openapi.json",
  headers: [],
  id: "1",
  at: 0,
  traceparent: undefined,
  trace: {},
};

Deno.test("DocumentRoute never answers with the document of other services than those that run", () => {
  let manifests: readonly Manifest[] = [{ name: "old", entrypoints: [], dependencies: [] }];
  const route = new DocumentRoute(() => manifests, {
    name: "the document",
    path: "/document.json",
    kinds: ["http"],
    make([manifest]) {
      if (manifest!.name === "new") throw new TypeError("Cannot describe this service");
      return { title: manifest!.name };
    },
  });
  assert.equal(route.handle(INCOMING).body, '{"title":"old"}');
  manifests = [{ name: "new", entrypoints: [], dependencies: [] }];
  for (let request = 0; request < 2; request++) {
    assert.throws(() => route.handle(INCOMING), /Cannot describe this service/);
  }
});
