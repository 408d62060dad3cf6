import assert from "node:assert/strict";
import { clientScript } from "../../../extensions/websocket/client.ts";
import { importBundle } from "../../../runtime/module/bundle/bundle_import.ts";
import type { BundleAnswer } from "../../../runtime/module/bundle/bundle.ts";
import type { BundleRequest } from "../../../runtime/module/bundle/bundler.ts";
import { ModuleOrigin, type OriginReply } from "../../fixtures/module_origin.ts";
import { serveSockets } from "./socket_stage.ts";

const bundler = new Worker(import.meta.resolve("../../fixtures/bundling_worker.ts"), { type: "module" });

/** The client's files, as they would be on a server. */
function source(name: string): OriginReply {
  const path = new URL(`../../../extensions/websocket/${name}`, import.meta.url);
  return async () =>
    new Response(await Deno.readTextFile(path), { headers: { "content-type": "application/typescript" } });
}

/** Imports a script as a page would, from no place that could lead it to other files, and makes a call. */
async function callWith(script: string): Promise<unknown> {
  await using served = await serveSockets();
  const { connectSocket } = await import(`data:text/javascript,${encodeURIComponent(script)}`);
  await using socket = connectSocket(served.ws);
  return await socket.call.add(1, 2);
}

Deno.test("clientScript is a module that needs no other", async () => {
  assert.equal(await callWith(clientScript), 3);
});

Deno.test("clientScript is such a module also where its service was bundled", async () => {
  const files = ["client.ts", "browser/connect_socket.ts"];
  await using origin = new ModuleOrigin(Object.fromEntries(files.map((name) => [`/${name}`, source(name)])));
  const { port1, port2 } = new MessageChannel();
  const answered = new Promise<BundleAnswer>((resolve) => port1.onmessage = ({ data }) => resolve(data));
  const request: BundleRequest = {
    url: origin.url("/client.ts"),
    modules: { cache: false },
    importMap: undefined,
    standalone: false,
  };
  bundler.postMessage(request, [port2]);
  const bundle = await answered;
  port1.close();
  assert.ok("code" in bundle, "failure" in bundle ? bundle.failure : "");
  const { exports } = await importBundle(bundle);
  assert.match(String(exports.clientScript), /__name\(/);
  assert.equal(await callWith(String(exports.clientScript)), 3);
});
