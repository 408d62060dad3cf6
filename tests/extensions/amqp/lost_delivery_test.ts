import { Metrics } from "../../../runtime/telemetry/metrics.ts";
import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { createLog } from "../../../runtime/log/log.ts";
import { deadLetterQueueOf } from "../../../runtime/hosting/message_fate.ts";
import { describeFailure } from "../../../runtime/message/failure.ts";
import { failed, type Outcome } from "../../../runtime/message/outcome.ts";
import { QueueHost } from "../../../runtime/hosting/queue_host.ts";
import { letter } from "../../../runtime/message/conformance/stage.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";
import { SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";

brokerTest(
  "A message whose handler fails in an outage comes back, and is not buried beside that",
  async (uri) => {
    await using proxy = await SeverableProxy.open(uri);
    const lost = Promise.withResolvers<void>();
    await using transport = amqp(proxy.uri, {
      retryStep: 20,
      onStatus: ({ state }) => state === "lost" && lost.resolve(),
    });
    await transport.connect();
    const queue = `enoki-test-${crypto.randomUUID()}`;
    const runs = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const ends = [Promise.withResolvers<Outcome>(), Promise.withResolvers<Outcome>()];
    let count = 0;
    const host = new QueueHost([{
      entry: { index: 0, method: "handle", kind: "test", options: { retry: { max: 0 } }, timeout: undefined },
      queue,
      topology: { queues: [{ name: queue }] },
      requeueOnError: false,
    }], {
      service: "test",
      transport,
      config: {},
      log: createLog({ emit: () => {} }),
      signal: new AbortController().signal,
      demand: 1,
      onDemand: () => {},
      metrics: new Metrics(),
      clock: SYSTEM_CLOCK,
      shed: () => {},
      least: () => 0,
      watch: () => {},
      run() {
        runs[count]!.resolve();
        return ends[count++]!.promise;
      },
    });
    await host.setup();
    await host.start();
    await transport.publish(letter(queue, "once"));
    await runs[0]!.promise;
    proxy.down = true;
    await proxy.sever();
    await lost.promise;
    ends[0]!.resolve(failed(describeFailure(new Error("boom"))));
    proxy.down = false;
    await runs[1]!.promise;
    ends[1]!.resolve({ status: "done", body: undefined });
    await host.stop();
    await host[Symbol.asyncDispose]();
    assert.equal(await transport.countMessages(queue), 0);
    assert.equal(await transport.countMessages(deadLetterQueueOf(queue)), undefined);
    await transport.deleteQueue(queue);
  },
);
