import assert from "node:assert/strict";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { RawSocket, serveSockets } from "./socket_stage.ts";

configureLogging({ write: () => {} });

Deno.test("an answer that service code has written is a result or a failure, and the socket goes on", async () => {
  const module = new URL("./forging_service.ts", import.meta.url).pathname;
  await using running = await serveSockets({}, {}, [module]);
  await using socket = await RawSocket.open(running.ws);
  const success = async (method: string) => (await socket.call(method)).success;
  for (const method of ["noFailure", "noText", "bytes", "nothing"]) {
    assert.equal(await success(method), false, method);
    assert.equal(await success("honest"), true);
  }
  assert.equal(await success("state"), true);
  assert.equal(await success("honest"), true);
});
