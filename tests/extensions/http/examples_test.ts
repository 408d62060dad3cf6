import { deepStrictEqual } from "node:assert/strict";
import type { Config } from "../../../extensions/run.ts";
import { serveHttp } from "./web_stage.ts";

/** Module, configuration, request, and what must come of it: status, some headers, body. */
const SEEDS: readonly {
  readonly module: string;
  readonly config?: Config;
  readonly path: string;
  readonly body?: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}[] = [
  {
    module: "get_post",
    path: "/get/1000",
    status: 200,
    headers: { "content-type": "text/plain; charset=utf-8" },
    text: '{"values": 1000}',
  },
  {
    module: "get_post",
    path: "/post",
    body: "post body",
    status: 200,
    headers: { "content-type": "text/plain; charset=utf-8" },
    text: "received: post body",
  },
  { module: "get_post", path: "/multi", body: "", status: 200, headers: {}, text: "POST" },
  { module: "advanced", path: "/privileged", status: 403, headers: {}, text: "Forbidden" },
  {
    module: "advanced",
    path: "/headers",
    status: 201,
    headers: { location: "http://www.example.com/widget/1" },
    text: "",
  },
  { module: "advanced", path: "/custom", status: 200, headers: {}, text: "payload" },
  {
    module: "custom_exception",
    path: "/custom_exception",
    status: 400,
    headers: { "content-type": "application/json" },
    text: `{"error": "INVALID_ARGUMENTS", "message": "Argument 'foo' is required"}`,
  },
  { module: "config", path: "/foo", status: 403, headers: {}, text: "FeatureNotEnabled" },
  {
    module: "config",
    config: { FOO_FEATURE_ENABLED: true },
    path: "/foo",
    status: 200,
    headers: {},
    text: "foo",
  },
];

for (const { module, config, path, body, status, headers, text } of SEEDS) {
  Deno.test(`examples/http/${module} answers ${path} with ${status} ${text}`, async () => {
    const url = new URL(`../../../examples/http/${module}.ts`, import.meta.url).pathname;
    await using running = await serveHttp([url], config);
    const response = await fetch(running.http + path, body === undefined ? {} : { method: "POST", body });
    deepStrictEqual(
      [
        response.status,
        Object.keys(headers).map((name) => response.headers.get(name)),
        await response.text(),
      ],
      [status, Object.values(headers), text],
    );
  });
}
