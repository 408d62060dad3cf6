import { deepStrictEqual } from "node:assert/strict";
import { serveHttp } from "./web_stage.ts";

const GATEWAY = new URL("gateway_service.ts", import.meta.url).href;

Deno.test("http() answers an expected error of another service with its name, message and status", async () => {
  await using running = await serveHttp([GATEWAY]);
  const text = await fetch(`${running.http}/take/lamp`);
  deepStrictEqual([text.status, await text.text()], [409, "Error: OutOfStock: no lamp left\n"]);
  const json = await fetch(`${running.http}/take/lamp`, { headers: { accept: "application/json" } });
  deepStrictEqual([json.status, await json.json()], [409, { error: "OutOfStock", message: "no lamp left" }]);
});

Deno.test("http() says nothing of an error of another service that it does not expect", async () => {
  await using running = await serveHttp([GATEWAY]);
  const response = await fetch(`${running.http}/take/other`);
  deepStrictEqual([response.status, (await response.text()).includes("not told")], [500, false]);
});
