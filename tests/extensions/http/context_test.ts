import { deepStrictEqual, throws } from "node:assert/strict";
import { contextOf, USUAL_CONTEXT_HEADERS } from "../../../extensions/http/request/context_headers.ts";
import { httpSettings } from "../../../extensions/http/settings.ts";
import { Section } from "../../../runtime/config/section.ts";

const read = (HTTP_CONTEXT: boolean | string | Record<string, string>) =>
  httpSettings(new Section({ HTTP_CONTEXT })).contextHeaders;

Deno.test("HTTP_CONTEXT makes context data of the usual headers, or of those that it names", () => {
  deepStrictEqual(read(true), USUAL_CONTEXT_HEADERS);
  deepStrictEqual(read(false), undefined);
  deepStrictEqual(read({ tenant: "X-Tenant" }), { tenant: "x-tenant" });
  throws(() => read("yes"), /"HTTP_CONTEXT".*: got "yes", expected true, or names of headers by the key/);
  throws(() => read({ tenant: "x tenant" }), /HTTP_CONTEXT/);
});

Deno.test("contextOf() gives the headers that are there, under Nameko's names, beside the trace", () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const headers = [
    ...[
      "accept-language",
      "de",
      "authorization",
      "Bearer sesame",
      "traceparent",
      traceparent,
      "cookie",
      "a=b",
    ],
  ];
  deepStrictEqual(contextOf(headers, USUAL_CONTEXT_HEADERS), {
    "nameko.traceparent": traceparent,
    "nameko.language": "de",
    "nameko.auth_token": "sesame",
  });
  deepStrictEqual(contextOf(["cookie", "a=b"], undefined), undefined);
});
