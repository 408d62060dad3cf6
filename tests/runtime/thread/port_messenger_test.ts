import assert from "node:assert/strict";
import { UnroutableError } from "../../../runtime/message/errors.ts";
import { describeFailure } from "../../../runtime/message/failure.ts";
import type { ThreadPort } from "../../../runtime/channel/port.ts";
import { PortMessenger } from "../../../runtime/thread/port_messenger.ts";

Deno.test("PortMessenger throws the main thread's refusal with the stack of whoever sent", async () => {
  const { port1, port2 } = new MessageChannel();
  const messenger = new PortMessenger(port1 as unknown as ThreadPort);
  port1.onmessage = ({ data }) => messenger.settle(data);
  const failure = describeFailure(new UnroutableError("shop", "placed"));
  port2.onmessage = ({ data: { id } }) => port2.postMessage({ type: "refusal", id, failure });
  const handler = async () => {
    await messenger.publish({ exchange: "shop", routingKey: "placed", body: "", properties: {} });
  };
  await assert.rejects(handler(), (error: Error) => {
    assert.ok(error instanceof UnroutableError);
    assert.match(error.stack!, /at async handler .*port_messenger_test\.ts/);
    return true;
  });
  port1.close();
  port2.close();
});

Deno.test("PortMessenger fails what cannot be cloned at once, and sends the next message", async () => {
  const { port1, port2 } = new MessageChannel();
  const messenger = new PortMessenger(port1 as unknown as ThreadPort);
  port1.onmessage = ({ data }) => messenger.settle(data);
  port2.onmessage = ({ data: { id } }) => port2.postMessage({ type: "answer", id, body: "answered" });
  const request = { service: "s", method: "m", body: "", headers: { h: () => 1 } as never };
  await assert.rejects(messenger.request(request, { timeout: 60_000 }), { name: "DataCloneError" });
  const message = {
    exchange: "",
    routingKey: "",
    body: "",
    properties: { headers: { h: Promise.resolve() } as never },
  };
  await assert.rejects(messenger.publish(message), { name: "DataCloneError" });
  assert.equal(await messenger.request({ ...request, headers: {} }, { timeout: 60_000 }), "answered");
  port1.close();
  port2.close();
});
