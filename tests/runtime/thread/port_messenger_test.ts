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
