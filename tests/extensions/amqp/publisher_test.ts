import assert from "node:assert/strict";
import { Publisher } from "../../../extensions/amqp/publisher.ts";

const LETTER = { exchange: "", routingKey: "jobs", body: "", properties: {} };

Deno.test("Publisher lets go of what is given up while there is no channel", async () => {
  const publisher = new Publisher({ confirms: true });
  const reason = new Error("given up");
  const callers = Array.from({ length: 3 }, () => new AbortController());
  const publishing = callers.map(({ signal }) => publisher.publish(LETTER, signal));
  for (const caller of callers) caller.abort(reason);
  for (const each of publishing) await assert.rejects(each, reason);
  await publisher.settled();
});
