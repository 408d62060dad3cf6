import { deepStrictEqual } from "node:assert/strict";
import { toRequest } from "../../../extensions/http/request/request.ts";
import { testContext } from "../../../extensions/testing/mod.ts";

Deno.test("a request's JSON is read without its byte order mark", async () => {
  const { call } = testContext({ name: "web", dependencies: {} });
  const head = { method: "POST", url: "http://h/", headers: [], params: {}, id: "1" };
  const payload = { body: '\ufeff{"a":1}', contentType: "application/json", headers: undefined };
  deepStrictEqual(await toRequest(payload, head, call).json(), { a: 1 });
});
