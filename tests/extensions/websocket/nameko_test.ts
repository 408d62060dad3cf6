import assert from "node:assert/strict";
import { connectSocket } from "../../../extensions/websocket/client.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { NamekoProcess, namekoTest } from "../../fixtures/nameko.ts";
import { RawSocket, serveSockets } from "./socket_stage.ts";

namekoTest(
  "Nameko's own WebSocket client calls, fails and has events as it would with Nameko",
  async (uri) => {
    await using served = await serveSockets();
    const { hostname, port } = new URL(served.http);
    await using python = await NamekoProcess.start("socket_client.py", uri, hostname, port);
    const call = (method: string, kwargs = {}) => python.call({ service: "sockets", method, kwargs });
    assert.deepEqual(await call("add", { a: 1, b: 2 }), { result: 3 });
    assert.deepEqual(await call("echo", { value: { "ü": [null, 1.5] } }), { result: { "ü": [null, 1.5] } });
    const { result: id } = await call("whoami");
    assert.deepEqual(await python.call({ service: "event", method: "connected" }), {
      result: ["connected", { socket_id: id }],
    });
    await call("join", { channel: "room" });
    await using other = await RawSocket.open(served.ws);
    await other.call("say", { channel: "room", text: "hi" });
    assert.deepEqual(await call("rooms", { of: id }), { result: ["room"] });
    assert.deepEqual(await python.call({ service: "event", method: "said" }), { result: ["said", "hi"] });
    assert.equal((await call("nope")).error!.class, "MethodNotFound");
    assert.equal((await call("add", { a: 1 })).error!.class, "IncorrectSignature");
    const { error } = await call("fail");
    assert.deepEqual([error!.class, error!.exc_type, error!.value], ["RemoteError", "TypeError", "boom"]);
  },
);

namekoTest("connectSocket() speaks to a service of Nameko, with arguments by name", async (uri) => {
  const port = freePort();
  await using _python = await NamekoProcess.start("socket_service.py", uri, String(port));
  await using socket = connectSocket(`http://127.0.0.1:${port}/ws`);
  const { call } = socket;
  assert.equal(await call.hello!.kwargs({ name: "Ada" }), "Hello, Ada!");
  assert.equal(await call.whoami!(), socket.id);
  await call.join!.kwargs({ channel: "room" });
  const said = new Promise((resolve) => socket.on("said", resolve));
  await call.say!.kwargs({ channel: "room", text: "hi" });
  assert.equal(await said, "hi");
  await assert.rejects(call.fail!(), { name: "ValueError", message: "boom" });
  await assert.rejects(call.nope!(), { name: "MethodNotFound" });
});
