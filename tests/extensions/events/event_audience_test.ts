import { deepStrictEqual } from "node:assert/strict";
import { EventAudience } from "../../../extensions/events/event_audience.ts";
import { eventMessage } from "../../../extensions/events/event_message.ts";
import { createLog } from "../../../runtime/log/log.ts";
import { eventTest } from "./event_brokers.ts";

eventTest("EventAudience says once of each type that nobody handles it", async (stage) => {
  const transport = await stage.transport();
  const told: string[] = [];
  const source = `enoki_test_${crypto.randomUUID()}`;
  const log = createLog({ emit: ({ message }) => told.push(message.split(":")[0]!) });
  const audience = new EventAudience(source, transport, log);
  const exchange = `${source}.events`;
  const queue = `${source}.handled`;
  await transport.declare({
    exchanges: [{ name: exchange, type: "topic", autoDelete: true }],
    queues: [{ name: queue, exclusive: true }],
    bindings: [{ queue, exchange, routingKey: "handled" }],
  });
  for (const type of ["handled", "placed", "handled", "placed", "refused"]) {
    const message = eventMessage(source, type, {}, {});
    if (audience.isFirst(message)) await audience.publish(message);
    else await transport.publish(message);
  }
  deepStrictEqual(
    told,
    ["placed", "refused"].map((type) => `Nobody handles event "${type}" of service "${source}"`),
  );
  deepStrictEqual(await transport.countMessages(queue), 2);
  await transport.deleteQueue(queue);
});
