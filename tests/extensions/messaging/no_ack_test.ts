/** Consumers that handle a message at most once. */
import assert from "node:assert/strict";
import { consume, type ConsumeOptions, queue } from "../../../extensions/messaging/mod.ts";
import { Retry } from "../../../runtime/message/retry.ts";
import { service } from "../../../runtime/service/service.ts";
import { deadLetterQueueOf } from "../../../runtime/hosting/message_fate.ts";
import { Child } from "../../fixtures/child.ts";
import { brokerUri } from "../../fixtures/broker_probe.ts";
import { Record } from "../events/event_stage.ts";
import { type Instance, type MessagingStage, messagingTest } from "./messaging_stage.ts";

const JSON_TYPE = { contentType: "application/json" };

async function serving(
  stage: MessagingStage,
  act: (payload: unknown) => unknown,
  options: ConsumeOptions = {},
): Promise<{ readonly name: string; readonly handled: Record<unknown>; readonly instance: Instance }> {
  const name = stage.queueName();
  const handled = new Record<unknown>();
  const instance = await stage.serve(service("consumer", {
    entrypoints: { handle: consume(queue(name), { noAck: true, ...options }) },
    handlers: {
      handle(_context, payload) {
        handled.add(payload);
        return act(payload);
      },
    },
  }));
  return { name, handled, instance };
}

function send(stage: MessagingStage, name: string, body: string): Promise<void> {
  return stage.publish({ exchange: "", routingKey: name, body, properties: JSON_TYPE });
}

for (
  const [what, body, failure, line] of [
    ["that fails", "1", () => new Error("boom"), undefined],
    ["that asks for a retry", "1", () => new Retry(), /asked for a retry that noAck rules out$/],
    ["that cannot be read", "{", undefined, /^Lost a message of queue .* forgotten .* Cannot read a message/],
  ] as const
) {
  messagingTest(`with noAck, a message ${what} is gone`, async (stage) => {
    const { name, handled, instance } = await serving(stage, (payload) => {
      if (payload !== 7 && failure !== undefined) throw failure();
    }, { prefetch: 1 });
    await send(stage, name, body);
    await send(stage, name, "7");
    const payloads = failure === undefined ? [7] : [1, 7];
    assert.deepEqual(await handled.reaches(payloads.length), payloads);
    await instance[Symbol.asyncDispose]();
    const own = await stage.own();
    assert.equal(await own.countMessages(name), 0);
    assert.equal(await own.countMessages(deadLetterQueueOf(name)), undefined);
    const errors = instance.log.filter(({ level }) => level === "error").map(({ message }) => message);
    if (line !== undefined) assert.ok(errors.some((message) => line.test(message)), errors.join("\n"));
  });
}

messagingTest(
  "with noAck, a polite stop waits for the handlers, and leaves the rest in the queue",
  async (stage) => {
    const release = Promise.withResolvers<void>();
    const { name, handled, instance } = await serving(stage, () => release.promise, { prefetch: 2 });
    for (let number = 0; number < 6; number++) await send(stage, name, String(number));
    await handled.reaches(2);
    let ended = false;
    const end = instance[Symbol.asyncDispose]().then(() => ended = true);
    const inbox = await stage.open(name);
    assert.deepEqual((await inbox.texts(4)).toSorted(), ["2", "3", "4", "5"]);
    assert.equal(ended, false);
    release.resolve();
    await end;
    assert.equal(handled.all.length, 2);
  },
);

const uri = await brokerUri();

for (const kind of ["local", "amqp"]) {
  messagingTest.on(
    kind,
    "with noAck, a message does not come again when its handler ends the process",
    async (stage) => {
      const name = stage.queueName();
      const own = await stage.own();
      await own.declare(queue(name).topology);
      for (const body of ["1", "2", "3"]) await send(stage, name, body);
      const directory = await Deno.makeTempDir();
      const root = new URL("../../../", import.meta.url);
      await Deno.writeTextFile(
        `${directory}/service.ts`,
        `import { consume, queue, service } from "${new URL("mod.ts", root)}";
         export default service("enoki_test_killer", {
           entrypoints: { handle: consume(queue(${JSON.stringify(name)}), { noAck: true, prefetch: 1 }) },
           handlers: { handle(_context, payload) { if (payload === 1) Deno.kill(Deno.pid, "SIGKILL"); } },
         });`,
      );
      try {
        await using child = new Child(Deno.execPath(), [
          ...["run", "-A", "--no-lock", `--config=${new URL("deno.json", root).pathname}`],
          ...[new URL("cli.ts", root).pathname, "run", "-A"],
          ...["--broker", kind === "amqp" ? uri! : own.broker, `${directory}/service.ts`],
        ]);
        assert.equal((await child.ended()).signal, "SIGKILL");
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
      assert.deepEqual(await (await stage.open(name)).texts(2), ["2", "3"]);
    },
  );
}

Deno.test("consume() refuses noAck together with what offers a message again", () => {
  for (const options of [{ retry: {} }, { requeueOnError: true }, { reply: true }]) {
    assert.throws(() => consume(queue("q"), { noAck: true, ...options }), {
      name: "TypeError",
      message: /^Cannot consume queue "q" with both noAck and (?:retry|requeueOnError|reply): /,
    });
  }
});
