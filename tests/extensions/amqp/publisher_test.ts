import assert from "node:assert/strict";
import { Cancellation } from "../../../runtime/waiting/cancellation.ts";
import { Publisher } from "../../../extensions/amqp/publisher.ts";

const LETTER = { exchange: "", routingKey: "jobs", body: "", properties: {} };

Deno.test("Publisher lets go of what is given up while there is no channel", async () => {
  const publisher = new Publisher({ confirms: true });
  const reason = new Error("given up");
  const callers = Array.from({ length: 3 }, () => new AbortController());
  const publishing = callers.map(({ signal }) => publisher.publish(LETTER, { signal }));
  for (const caller of callers) caller.abort(reason);
  for (const each of publishing) await assert.rejects(each, reason);
  await publisher.settled();
});

Deno.test("Publisher takes back a message that waits when its caller cancels it", async () => {
  const publisher = new Publisher({ confirms: true });
  const [early, late] = [new Cancellation(), new Cancellation()];
  early.cancel();
  const publishing = [early, late].map((each) => publisher.publish(LETTER, { cancellation: each }));
  late.cancel();
  for (const each of publishing) await assert.rejects(each, { name: "AbortError" });
  await publisher.settled();
});
