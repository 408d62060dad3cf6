/** What happens while the broker believes that a connection lives which was lost, and keeps its exclusive queues. */
import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { logStatus } from "../../../extensions/broker.ts";
import { event } from "../../../extensions/events/mod.ts";
import { createLog } from "../../../runtime/log/log.ts";
import { service } from "../../../runtime/service/service.ts";
import type { Topology } from "../../../runtime/message/transport.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { BROKERS } from "../../fixtures/brokers.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";
import { EventStage } from "../events/event_stage.ts";

function exclusive(name: string): Topology {
  return { queues: [{ name, durable: false, exclusive: true }] };
}

brokerTest(
  "A transport whose exclusive queue is held goes on with all else, and takes it back",
  async (uri) => {
    await using proxy = await SeverableProxy.open(uri);
    const logged: string[] = [];
    const inform = logStatus(createLog({ emit: ({ message }) => logged.push(message) }));
    const [held, back, regained] = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
    await using transport = amqp(proxy.uri, {
      retryStep: 20,
      onStatus(status) {
        inform(status);
        if (status.state === "held") held!.resolve();
        if (status.state === "connected" && logged.length > 0) back!.resolve();
        if (status.state === "regained") regained!.resolve();
      },
    });
    await transport.connect();
    const [own, shared] = ["own", "shared"].map((name) => `enoki-test-${name}-${crypto.randomUUID()}`);
    await transport.declare({ ...exclusive(own!) });
    await transport.declare({ queues: [{ name: shared! }] });
    const inbox = new Inbox();
    await transport.consume(own!, inbox.receiver, { prefetch: 1 });
    await transport.consume(shared!, inbox.receiver, { prefetch: 1 });
    proxy.down = true;
    await proxy.sever();
    const other = amqp(uri);
    await other.connect();
    await other.declare(exclusive(own!));
    proxy.down = false;
    await Promise.all([held!.promise, back!.promise]);
    const send = (queue: string) =>
      transport.publish({ exchange: "", routingKey: queue, body: queue, properties: {}, mandatory: true });
    await send(shared!);
    assert.equal(await inbox.text(), shared);
    await other.close();
    await regained!.promise;
    await send(own!);
    assert.equal(await inbox.text(), own);
    const about = logged.filter((message) => message.includes(own!));
    assert.deepEqual(about.map((message) => message.replace(own!, "own")), [
      'Cannot consume queue "own" yet: the broker has not given up the connection that was lost. Trying every 1000 ms',
      'Consumes queue "own" again',
    ]);
    await transport.deleteQueue(shared!);
  },
);

brokerTest(
  "A handler waits at the start for its exclusive queue while another connection holds it",
  async (uri) => {
    await using stage = new EventStage(await BROKERS["amqp"]!());
    const [source, name] = [stage.name("source"), stage.name("a")];
    const queue = `evt-${source}-e--${name}.one-here`;
    const other = amqp(uri);
    await other.connect();
    await other.declare({ queues: [{ name: queue, autoDelete: true, exclusive: true }] });
    const serving = stage.serve(service(name, {
      entrypoints: { one: event(source, "e", { delivery: "broadcast", broadcastId: "here" }) },
      handlers: { one() {} },
    }));
    await stage.logged(`Waiting for queue "${queue}": another connection holds it`);
    await other.close();
    await serving;
  },
);
