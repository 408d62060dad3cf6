import type { Template } from "../template.ts";

/** A service with an HTTP API. */
export const httpTemplate: Template = {
  summary: `The service \`web\` answers HTTP requests.`,
  modules: ["web.ts"],
  files: {
    "web.ts": `import { http, service } from "@enoki/enoki";

export default service("web", {
  entrypoints: {
    greet: http("GET", "/hello/<name>"),
    echo: http("POST", "/echo"),
  },
  handlers: {
    greet: (_context, _request, { name }) =>
      Response.json({ greeting: \`Hello, \${name}!\` }),
    async echo({ call }, request) {
      const body = await request.json();
      call.log.info("echoing", { body });
      return Response.json(body, { status: 201 });
    },
  },
});
`,
    "web_test.ts": `import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { testContext } from "@enoki/enoki/testing";
import web from "./web.ts";

Deno.test("greet() greets by name", async () => {
  const request = new Request("http://localhost/hello/Ada");
  const rule = { name: "Ada" };
  const response = web.handlers.greet(testContext(web), request, rule);
  deepStrictEqual(await response.json(), { greeting: "Hello, Ada!" });
});

Deno.test("echo() answers with what it has got", async () => {
  const request = new Request("http://localhost/echo", {
    method: "POST",
    body: '{"a":1}',
  });
  const response = await web.handlers.echo(testContext(web), request);
  strictEqual(response.status, 201);
  deepStrictEqual(await response.json(), { a: 1 });
});
`,
  },
  config: ["# Where HTTP is served: [host:]port.", "WEB_SERVER_ADDRESS: 127.0.0.1:8000"],
  attempt: {
    program: "curl",
    words: "http://127.0.0.1:8000/hello/Ada",
    prints: '{"greeting":"Hello, Ada!"}',
  },
};
