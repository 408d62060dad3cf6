import assert from "node:assert/strict";
import { hostname } from "node:os";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { dispatcher } from "../../../extensions/events/dispatcher.ts";
import { event, type EventOptions } from "../../../extensions/events/event.ts";
import { BrokerError, ConfigurationError } from "../../../runtime/message/errors.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import { service } from "../../../runtime/service/service.ts";
import type { QueueDeclaration } from "../../../runtime/message/transport.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { eventTest } from "./event_brokers.ts";
import { AUTO_DELETE, EventStage } from "./event_stage.ts";

const DURABLE = { durable: true, exclusive: false, autoDelete: false };

/** Nameko 2.14, 6.3. */
const TABLE: readonly (readonly [EventOptions, suffix: string, Omit<QueueDeclaration, "name">])[] = [
  [{}, "--L.M", DURABLE],
  [{ reliable: false }, "--L.M", { ...DURABLE, autoDelete: true }],
  [{ delivery: "singleton" }, "", DURABLE],
  [{ delivery: "singleton", reliable: false }, "", { ...DURABLE, autoDelete: true }],
  [{ delivery: "broadcast", broadcastId: "B" }, "--L.M-B", {
    durable: true,
    exclusive: true,
    autoDelete: true,
  }],
  [{ delivery: "broadcast", broadcastId: "B", reliable: true }, "--L.M-B", DURABLE],
];

/** Serves one handler, and returns what it declared. */
async function declaredBy(stage: EventStage, options: EventOptions, config: PlainRecord = AUTO_DELETE) {
  const [source, name] = [stage.name("S"), stage.name("L")];
  await stage.serve(
    service(name, {
      entrypoints: { M: event(source, "a.b.*", options) },
      handlers: { M() {} },
    }),
    { config },
  );
  const [{ queues = [], exchanges = [], bindings = [] } = {}] = stage.declared;
  return { source, name, queues, exchanges, bindings };
}

for (const [options, suffix, flags] of TABLE) {
  eventTest(`the queue of ${JSON.stringify(options)} is Nameko's`, async (stage) => {
    const { source, name, queues, bindings } = await declaredBy(stage, options);
    const queue = `evt-${source}-a.b.*${suffix.replace("L.M", `${name}.M`)}`;
    assert.deepEqual(
      queues.map(({ durable = true, exclusive = false, autoDelete = false, ...rest }) => ({
        durable,
        exclusive,
        autoDelete,
        ...rest,
      })),
      [{ name: queue, ...flags }],
    );
    assert.deepEqual(bindings, [{ queue, exchange: `${source}.events`, routingKey: "a.b.*" }]);
  });
}

brokerTest("RabbitMQ has the queues as Nameko declares them", async (uri) => {
  const broker = {
    transport: async () => {
      const transport = amqp(uri);
      await transport.connect();
      return transport;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  for (const [options, , flags] of TABLE.filter(([{ delivery }]) => delivery !== "broadcast")) {
    await using stage = new EventStage(broker);
    const { queues: [queue] } = await declaredBy(stage, options);
    const transport = await stage.transport();
    // What a Nameko instance does when it joins: the broker compares each flag and argument.
    await transport.declare({ queues: [{ name: queue!.name, ...flags, arguments: {} }] });
    await assert.rejects(
      transport.declare({ queues: [{ name: queue!.name, ...flags, autoDelete: !flags.autoDelete }] }),
      /PRECONDITION_FAILED/,
    );
  }
});

eventTest("the instances of a broadcast handler have names of their own", async (stage) => {
  const options = { delivery: "broadcast" } as const;
  const { source, name, queues: [first] } = await declaredBy(stage, options);
  await declaredBy(stage, options);
  const second = stage.declared[1]?.queues?.[0];
  for (const queue of [first, second]) {
    assert.match(queue!.name, new RegExp(`^evt-${source}-a\\.b\\.\\*--${name}\\.M-[0-9a-f]{32}$`));
  }
  assert.notEqual(first!.name, second!.name);
});

eventTest("a broadcastId can be the host's name, or come from the configuration", async (stage) => {
  const { queues: [byHost] } = await declaredBy(stage, { delivery: "broadcast", broadcastId: "hostname" });
  assert.ok(byHost!.name.endsWith(`.M-${hostname()}`));
  const options = { delivery: "broadcast", broadcastId: { config: "INSTANCE" } } as const;
  await declaredBy(stage, options, { ...AUTO_DELETE, INSTANCE: "west-1" });
  assert.ok(stage.declared[1]?.queues?.[0]?.name.endsWith(".M-west-1"));
  await assert.rejects(declaredBy(stage, options), (error: Error) => {
    assert.ok(error instanceof ConfigurationError);
    assert.match(error.message, /"M": config key "INSTANCE" must say which instance this is, got null/);
    return true;
  });
});

eventTest("the event exchange is a durable topic, which may go with its last binding", async (stage) => {
  const { source, exchanges } = await declaredBy(stage, { reliable: false });
  assert.deepEqual(exchanges, [{ name: `${source}.events`, type: "topic", autoDelete: true }]);
});

eventTest("DECLARE_EVENT_EXCHANGES: false leaves the exchange to others", async (stage) => {
  const config = { DECLARE_EVENT_EXCHANGES: false };
  await assert.rejects(declaredBy(stage, {}, config), (error: Error) => {
    assert.ok(error instanceof BrokerError);
    return /^Cannot bind queue .* to exchange/.test(error.message);
  });
  const transport = await stage.transport();
  const name = `${stage.name("S")}.events`;
  await transport.declare({ exchanges: [{ name, type: "topic", autoDelete: true }] });
  stage.declared.length = 0;
  const { exchanges } = await declaredBy(stage, {}, config);
  assert.deepEqual(exchanges, []);
});

eventTest("a dispatcher declares its exchange, so either side may come first", async (stage) => {
  const name = stage.name("S");
  const emitter = service(name, {
    dependencies: { emit: dispatcher() },
    entrypoints: { start: event(stage.name("other"), "start") },
    handlers: { start() {} },
  });
  await stage.serve(emitter);
  assert.deepEqual(stage.declared[0], {
    exchanges: [{ name: `${name}.events`, type: "topic", autoDelete: true }],
  });
  await stage.dispatch(name, "e", 1);
  // So that the exchange goes again.
  await declaredBy(stage, {});
});
