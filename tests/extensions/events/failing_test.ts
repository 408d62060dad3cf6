import assert from "node:assert/strict";
import { event, type EventOptions } from "../../../extensions/events/event.ts";
import { WorkerLostError } from "../../../runtime/message/errors.ts";
import { DEATH_HEADERS } from "../../../runtime/hosting/message_fate.ts";
import { describeFailure } from "../../../runtime/message/failure.ts";
import { failed, type Outcome } from "../../../runtime/message/outcome.ts";
import { Retry } from "../../../runtime/message/retry.ts";
import { service } from "../../../runtime/service/service.ts";
import { eventTest } from "./event_brokers.ts";
import { type EventStage, Record } from "./event_stage.ts";

/** A handler that fails the first `failures` times. */
function failing(
  stage: EventStage,
  handled: Record<number>,
  failures: number,
  options: EventOptions,
  fail: () => Error = () => new Error("not yet"),
) {
  const name = stage.name("failing");
  const source = stage.name("source");
  const served = service(name, {
    entrypoints: { one: event(source, "e", options) },
    handlers: {
      one() {
        handled.add(performance.now());
        if (handled.all.length <= failures) throw fail();
      },
    },
  });
  return { served, source, queue: `evt-${source}-e--${name}.one` };
}

/** Stops an instance, and says how many events are left in its queue. */
async function leftIn(stage: EventStage, queue: string, instance: AsyncDisposable): Promise<number> {
  await instance[Symbol.asyncDispose]();
  return await (await stage.transport()).countMessages(queue) ?? NaN;
}

eventTest("an event whose handler fails is taken off its queue", async (stage) => {
  const handled = new Record<number>();
  const { served, source, queue } = failing(stage, handled, 1, {});
  const instance = await stage.serve(served);
  await stage.dispatch(source, "e", 1);
  await handled.reaches(1);
  assert.equal(await leftIn(stage, queue, instance), 0);
  assert.equal(handled.all.length, 1);
});

eventTest("requeueOnError offers a failed event again, also after an expected error", async (stage) => {
  const handled = new Record<number>();
  const options = { requeueOnError: true, expected: ["Error"] };
  const { served, source, queue } = failing(stage, handled, 5, options);
  const instance = await stage.serve(served);
  await stage.dispatch(source, "e", 1);
  await handled.reaches(6);
  assert.equal(await leftIn(stage, queue, instance), 0);
  assert.equal(handled.all.length, 6);
});

eventTest("Retry offers an event again after a time, which it spends in the broker", async (stage) => {
  const handled = new Record<number>();
  const { served, source, queue } = failing(stage, handled, 1, {}, () => new Retry({ after: 400 }));
  const instance = await stage.serve(served);
  const delayQueue = `enoki.delay.400.${queue}`;
  await stage.dispatch(source, "e", 1);
  await handled.reaches(1);
  assert.equal(await leftIn(stage, queue, instance), 0);
  assert.equal(await (await stage.transport()).countMessages(delayQueue), 1);
  await stage.serve(served);
  const [first, second] = await handled.reaches(2);
  assert.ok(second! - first! >= 395, `${second! - first!} ms`);
});

eventTest("a retry policy waits longer each time", async (stage) => {
  const handled = new Record<number>();
  const retry = { max: 5, backoff: { initial: 60, factor: 2, limit: 150 } };
  const { served, source } = failing(stage, handled, 3, { retry });
  await stage.serve(served);
  await stage.dispatch(source, "e", 1);
  const times = await handled.reaches(4);
  const waits = [1, 2, 3].map((index) => times[index]! - times[index - 1]!);
  for (const [index, least] of [60, 120, 150].entries()) assert.ok(waits[index]! >= least - 3, `${waits}`);
});

eventTest("a retry policy leaves expected errors alone", async (stage) => {
  const handled = new Record<number>();
  const { served, source, queue } = failing(stage, handled, 1, {
    retry: { backoff: 1 },
    expected: ["Error"],
  });
  const instance = await stage.serve(served);
  await stage.dispatch(source, "e", 1);
  await handled.reaches(1);
  assert.equal(await leftIn(stage, queue, instance), 0);
  assert.equal(handled.all.length, 1);
});

eventTest(
  "an event whose retries are used up is in the dead-letter queue, with the reason",
  async (stage) => {
    const handled = new Record<number>();
    const { served, source, queue } = failing(stage, handled, Infinity, { retry: { max: 2, backoff: 1 } });
    await stage.serve(served);
    const dead = await stage.dead(queue);
    await stage.dispatch(source, "e", { id: 7 }, { headers: { own: 1 }, expiration: 60_000 });
    const { delivery, text, settle } = await dead.next();
    settle("ack");
    const { headers = {}, expiration, contentType } = delivery.properties;
    const { [DEATH_HEADERS.at]: at, ...rest } = headers;
    assert.deepEqual([text, contentType, expiration], ['{"id":7}', "application/json", undefined]);
    assert.deepEqual(rest, {
      own: 1,
      "x-enoki-dead-reason": "retries used up",
      "x-enoki-dead-error": "Error: not yet",
      "x-enoki-dead-attempts": 3,
      "x-enoki-exchange": `${source}.events`,
      "x-enoki-routing-key": "e",
      "x-enoki-expiration": "60000",
    });
    assert.ok(Math.abs(Date.parse(String(at)) - Date.now()) < 60_000);
    assert.equal(handled.all.length, 3);
  },
);

eventTest("Retry without a policy gives up after twenty retries", async (stage) => {
  const handled = new Record<number>();
  const { served, source, queue } = failing(stage, handled, Infinity, {}, () => new Retry({ after: 1 }));
  await stage.serve(served);
  const dead = await stage.dead(queue);
  await stage.dispatch(source, "e", 1);
  assert.equal((await dead.next()).delivery.properties.headers?.[DEATH_HEADERS.attempts], 21);
});

eventTest("what a retry adds to an event is not context data", async (stage) => {
  const source = stage.name("source");
  const seen = new Record<unknown>();
  await stage.serve(service(stage.name("a"), {
    entrypoints: { one: event(source, "e") },
    handlers: {
      one({ call }) {
        seen.add(call.headers);
        if (seen.all.length < 3) throw new Retry({ after: 1 });
      },
    },
  }));
  await stage.dispatch(source, "e", 1, { headers: { "nameko.language": "en", own: [1, "two"] } });
  const expected = { language: "en", own: [1, "two"] };
  assert.deepEqual(await seen.reaches(3), [expected, expected, expected]);
});

for (
  const [what, contentType, body] of [
    ["of an unknown content type", "application/x-msgpack", new Uint8Array([0x81])],
    ["that is no JSON", "application/json", "{no"],
    ["that is no UTF-8", "application/json", new Uint8Array([0x22, 0xff, 0x22])],
  ] as const
) {
  eventTest(`an event ${what} is logged and buried, and the consumer lives on`, async (stage) => {
    const [source, name] = [stage.name("source"), stage.name("a")];
    const queue = `evt-${source}-e--${name}.one`;
    const handled = new Record<unknown>();
    await stage.serve(service(name, {
      entrypoints: { one: event(source, "e", { requeueOnError: true, retry: {} }) },
      handlers: { one: (_context, payload) => handled.add(payload) },
    }));
    const dead = await stage.dead(queue);
    const transport = await stage.transport();
    await transport.publish({
      exchange: `${source}.events`,
      routingKey: "e",
      body,
      properties: { contentType },
    });
    await stage.dispatch(source, "e", "good");
    const held = await dead.next();
    held.settle("ack");
    assert.equal(held.delivery.properties.headers?.[DEATH_HEADERS.reason], "undecodable");
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    assert.deepEqual(held.delivery.body, bytes);
    assert.deepEqual(await handled.reaches(1), ["good"]);
    await stage.logged(`Cannot read a message of queue "${queue}"`);
  });
}

eventTest("an error that a handler passes on is no reason to bury an event", async (stage) => {
  const handled = new Record<number>();
  const relayed = () => Object.assign(new Error("from afar"), { code: "MALFORMED_REQUEST" });
  const { served, source, queue } = failing(stage, handled, 1, {}, relayed);
  const instance = await stage.serve(served);
  await stage.dispatch(source, "e", 1);
  await handled.reaches(1);
  assert.equal(await leftIn(stage, queue, instance), 0);
  assert.equal(await (await stage.transport()).countMessages(`enoki.dead.${queue}`), undefined);
});

eventTest("an empty body is an empty text", async (stage) => {
  const source = stage.name("source");
  const handled = new Record<unknown>();
  await stage.serve(service(stage.name("a"), {
    entrypoints: { one: event(source, "e") },
    handlers: { one: (_context, payload) => handled.add(payload) },
  }));
  await (await stage.transport()).publish({
    exchange: `${source}.events`,
    routingKey: "e",
    body: "",
    properties: { contentType: "application/json" },
  });
  assert.deepEqual(await handled.reaches(1), [""]);
});

eventTest("an event that cost a thread its life is offered once more, then buried", async (stage) => {
  const handled = new Record<number>();
  const { served, source, queue } = failing(stage, handled, 0, { requeueOnError: true });
  const lost = { ...failed(describeFailure(new WorkerLostError("gone"))), lostWith: 0 };
  let runs = 0;
  await stage.serve(served, { run: () => Promise.resolve((runs++, lost)) });
  const dead = await stage.dead(queue);
  await stage.dispatch(source, "e", 1);
  const { delivery } = await dead.next();
  assert.equal(delivery.properties.headers?.[DEATH_HEADERS.reason], "thread lost");
  assert.equal(delivery.properties.headers?.[DEATH_HEADERS.attempts], 2);
  assert.equal(runs, 2);
});

/** An event whose runs end so, one after the other, is gone then, and nothing of it is dead. */
async function endsAlive(stage: EventStage, outcomes: readonly Outcome[]): Promise<void> {
  const { served, source, queue } = failing(stage, new Record<number>(), 0, {});
  const runs = new Record<number>();
  const instance = await stage.serve(served, {
    run() {
      runs.add(runs.all.length);
      return Promise.resolve(outcomes[runs.all.length - 1]!);
    },
  });
  await stage.dispatch(source, "e", 1);
  await runs.reaches(outcomes.length);
  assert.equal(await leftIn(stage, queue, instance), 0);
  assert.equal(await (await stage.transport()).countMessages(`enoki.dead.${queue}`), undefined);
}

function lostWith(others: number): Outcome {
  return { ...failed(describeFailure(new WorkerLostError("gone"))), lostWith: others };
}

const DONE: Outcome = { status: "done", body: undefined };

eventTest(
  "an event that was not run is offered again, and may still cost a thread its life once",
  (stage) => endsAlive(stage, [{ status: "unstarted", reason: "shed" }, lostWith(0), DONE]),
);

eventTest(
  "an event that is lost with others is offered again, whatever it cost alone",
  (stage) => endsAlive(stage, [...[1, 2, 0, 1].map(lostWith), DONE]),
);

eventTest("a dead-letter queue that was deleted comes back", async (stage) => {
  const handled = new Record<number>();
  const { served, source, queue } = failing(stage, handled, Infinity, { retry: { max: 0 } });
  const instance = await stage.serve(served);
  const transport = await stage.transport();
  const first = await stage.dead(queue);
  await stage.dispatch(source, "e", 1);
  assert.equal(await first.text(), "1");
  await first.consumer!.stop();
  await transport.deleteQueue(`enoki.dead.${queue}`);
  await stage.dispatch(source, "e", 2);
  await handled.reaches(2);
  assert.equal(await leftIn(stage, queue, instance), 0);
  assert.equal(await transport.countMessages(`enoki.dead.${queue}`), 1);
  assert.ok(!stage.records.some(({ message }) => message.startsWith("Cannot settle")));
});

eventTest("what died in the queue of an instance is kept for a week", async (stage) => {
  const handled = new Record<number>();
  const options = { delivery: "broadcast", retry: { max: 0 } } as const;
  const { served, source } = failing(stage, handled, Infinity, options);
  const instance = await stage.serve(served);
  await stage.dispatch(source, "e", 1);
  await handled.reaches(1);
  await instance[Symbol.asyncDispose]();
  const [dead] = stage.declared.flatMap(({ queues = [] }) => queues)
    .filter(({ name }) => name.startsWith("enoki.dead."));
  assert.deepEqual(dead!.arguments, { "x-expires": 7 * 24 * 3_600_000 });
  assert.equal(await (await stage.transport()).countMessages(dead!.name), 1);
});
