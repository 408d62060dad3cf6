import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ControlClient } from "../../../extensions/control/control_client.ts";
import type { ControlResponder } from "../../../extensions/control/host.ts";
import { requestMessage } from "../../../extensions/control/request.ts";
import { CONTROL_EXCHANGE, replyQueueOf, requestQueueOf } from "../../../extensions/control/topology.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import type { Message, Transport } from "../../../runtime/message/transport.ts";
import { BROKERS, isMissing } from "../../fixtures/brokers.ts";
import { Random } from "../../fuzz/random.ts";
import { answersTo, ECHO, openHost } from "./stage.ts";

configureLogging({ write: () => {} });

/** Registers a law for each kind of broker. Others may answer on the same broker, so each law names its instances. */
function law(
  name: string,
  test: (open: () => Promise<Transport>) => Promise<void>,
  kinds: readonly string[] = Object.keys(BROKERS),
): void {
  for (const kind of kinds) {
    Deno.test({
      name: `${name} (${kind})`,
      ignore: isMissing(kind),
      async fn() {
        await using broker = await BROKERS[kind]!();
        await using opened = new AsyncDisposableStack();
        await test(async () => opened.use(await broker.transport()));
      },
    });
  }
}

function responders(name: string, responder: ControlResponder): ReadonlyMap<string, ControlResponder> {
  return new Map([...ECHO, [name, responder]]);
}

law("ControlClient.ask() yields one answer of each instance", async (open) => {
  const [here, there, asking] = [await open(), await open(), await open()];
  const service = crypto.randomUUID();
  const services = () => [service];
  const hosts = await Promise.all([here, here, there].map((transport) => openHost(transport, { services })));
  const instances = hosts.map(({ instance }) => instance).sort();
  const request = { ask: "echo", services: [service], instances };
  const answers = await answersTo(asking, request);
  assert.deepEqual(answers.map(({ instance }) => instance).sort(), instances);
  assert.deepEqual(answers[0]?.answer, { request });
});

law("ControlClient.ask() ends at once where no process answers", async (open) => {
  const answers = await answersTo(await open(), { ask: "echo" });
  assert.deepEqual(answers, []);
}, ["memory", "local"]);

law("ControlClient.ask() ends as soon as all instances have answered that it names", async (open) => {
  const transport = await open();
  const hosts = [await openHost(transport), await openHost(transport), await openHost(transport)];
  const instances = hosts.slice(1).map(({ instance }) => instance);
  const patient = { timeout: 60_000, quiet: 60_000 };
  const answers = await answersTo(transport, { ask: "echo", instances }, patient);
  assert.deepEqual(answers.map(({ instance }) => instance).sort(), [...instances].sort());
});

law("ControlClient.ask() rejects with the reason of its signal", async (open) => {
  const transport = await open();
  await using client = new ControlClient(transport);
  const host = await openHost(transport, { services: () => ["other"] });
  const request = { ask: "echo", instances: [host.instance], services: ["none"] };
  const stop = new AbortController();
  const asking = Array.fromAsync(client.ask(request, { timeout: 60_000, signal: stop.signal }));
  stop.abort(new Error("enough"));
  await assert.rejects(asking, /enough/);
});

law("ControlHost sends a long answer in pieces, which the client puts together", async (open) => {
  const [serving, asking] = [await open(), await open()];
  const long = "é\u{1f600}".repeat(100_000);
  const { instance } = await openHost(serving, {
    responders: responders("long", { respond: () => ({ long }) }),
  });
  const [answer] = await answersTo(asking, { ask: "long", instances: [instance] });
  assert.ok(answer?.answer?.["long"] === long);
});

law("ControlHost says that an answer is too long", async (open) => {
  const transport = await open();
  const { instance } = await openHost(transport, {
    responders: responders("long", { respond: () => ({ long: "x".repeat(9 * 2 ** 20) }) }),
  });
  const [answer] = await answersTo(transport, { ask: "long", instances: [instance] });
  assert.match(answer?.error ?? "", /^The answer has \d+ bytes, more than/);
});

law("ControlHost says why it cannot answer, without secrets", async (open) => {
  const transport = await open();
  const { instance } = await openHost(transport, {
    responders: responders("fail", {
      respond: () => Promise.reject(new Error("amqp://me:hidden@host does not answer")),
    }),
  });
  const errorOf = async (ask: string) => {
    const [answer] = await answersTo(transport, { ask, instances: [instance] });
    return answer?.error;
  };
  assert.equal(await errorOf("fail"), "amqp://me:********@host does not answer");
  assert.equal(await errorOf("unknown"), 'This version does not know "unknown"');
  assert.equal(await errorOf("constructor"), 'This version does not know "constructor"');
});

law("ControlHost obeys what changes something only where the operator allows it", async (open) => {
  const transport = await open();
  let obeyed = 0;
  const changing = responders("change", { manages: true, respond: () => ({ obeyed: ++obeyed }) });
  const locked = await openHost(transport, { responders: changing });
  const open_ = await openHost(transport, { responders: changing, manage: true });
  const instances = [locked.instance, open_.instance];
  const answers = await answersTo(transport, { ask: "change", instances });
  const by = new Map(answers.map((answer) => [answer.instance, answer]));
  assert.match(by.get(locked.instance)?.error ?? "", /control: \{ manage: true \}/);
  assert.deepEqual(by.get(open_.instance)?.answer, { obeyed: 1 });
});

law("ControlHost answers no request that has expired before its turn came", async (open) => {
  const transport = await open();
  const busy = Promise.withResolvers<PlainRecord>();
  const seen: unknown[] = [];
  const begun = Promise.withResolvers<void>();
  let waiting = 8;
  const { instance } = await openHost(transport, {
    responders: new Map<string, ControlResponder>([
      ["wait", {
        respond() {
          if (--waiting === 0) begun.resolve();
          return busy.promise;
        },
      }],
      ["note", {
        respond({ note }) {
          seen.push(note);
          return {};
        },
      }],
    ]),
  });
  await using client = new ControlClient(transport);
  const ask = (request: PlainRecord & { readonly ask: string }, timeout: number) =>
    Array.fromAsync(client.ask({ ...request, instances: [instance] }, { timeout }));
  const occupying = Array.from({ length: 8 }, () => ask({ ask: "wait" }, 60_000));
  await begun.promise;
  assert.deepEqual(await ask({ ask: "note", note: "late" }, 20), []);
  while (await transport.countMessages(requestQueueOf(instance)) !== 0);
  busy.resolve({});
  await Promise.all(occupying);
  assert.equal((await ask({ ask: "note", note: "in time" }, 60_000)).length, 1);
  assert.deepEqual(seen, ["in time"]);
});

law("ControlHost ends lasting answers when the asker has gone", async (open) => {
  const [serving, asking] = [await open(), await open()];
  const ended = Promise.withResolvers<void>();
  const { instance } = await openHost(serving, {
    responders: responders("count", {
      lasting: true,
      async *respond() {
        try {
          for (let count = 0;; count++) {
            await nextTurn();
            yield { count };
          }
        } finally {
          ended.resolve();
        }
      },
    }),
  });
  const counts: unknown[] = [];
  {
    await using client = new ControlClient(asking);
    for await (const { answer } of client.ask({ ask: "count", instances: [instance] }, { lasting: true })) {
      counts.push(answer?.["count"]);
      if (counts.length === 5) break;
    }
  }
  assert.deepEqual(counts, [0, 1, 2, 3, 4]);
  await ended.promise;
  assert.equal((await answersTo(asking, { ask: "echo", instances: [instance] })).length, 1);
});

/** Answers with the number of times that it has begun, and then only with the end of its signal. */
function beginning(leaseTime: number) {
  let begun = 0;
  const ended = Promise.withResolvers<void>();
  const lasting: ControlResponder = {
    lasting: true,
    async *respond(_request, signal) {
      yield { begun: ++begun };
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      ended.resolve();
    },
  };
  return { options: { leaseTime, responders: responders("last", lasting) }, ended: ended.promise };
}

law("ControlHost ends a lasting answer that nobody asks for again", async (open) => {
  const [serving, asking] = [await open(), await open()];
  const { options, ended } = beginning(20);
  const { instance } = await openHost(serving, options);
  const answers = await answersTo(asking, { ask: "last", instances: [instance] });
  assert.deepEqual(answers.map(({ answer }) => answer), [{ begun: 1 }]);
  await ended;
});

law("ControlClient.ask() begins a lasting answer again that has ended too early", async (open) => {
  const [serving, asking] = [await open(), await open()];
  await using host = await openHost(serving, beginning(20).options);
  const { instance } = host;
  await using client = new ControlClient(asking);
  const begun: unknown[] = [];
  const lasting = { lasting: true, renewal: 30 };
  for await (const { answer } of client.ask({ ask: "last", instances: [instance] }, lasting)) {
    if (begun.push(answer?.["begun"]) === 3) break;
  }
  assert.deepEqual(begun, [1, 2, 3]);
});

law(
  "ControlClient.ask() renews a lasting answer, and none that is complete, and asks who comes later",
  async (open) => {
    const [serving, asking] = [await open(), await open()];
    const service = crypto.randomUUID();
    const services = () => [service];
    let completed = 0;
    await using hosts = new AsyncDisposableStack();
    const going = hosts.use(await openHost(serving, { ...beginning(60_000).options, services }));
    const over = await openHost(serving, {
      responders: responders("last", {
        lasting: true,
        async *respond() {
          yield { completed: ++completed };
        },
      }),
      services,
    });
    await using client = new ControlClient(asking);
    const lasting = { lasting: true, renewal: 5 };
    const seen: string[] = [];
    let late: { readonly instance: string } | undefined;
    for await (const { instance } of client.ask({ ask: "last", services: [service] }, lasting)) {
      seen.push(instance);
      if (seen.length === 2) {
        late = hosts.use(await openHost(serving, { ...beginning(60_000).options, services }));
      }
      if (seen.length === 3) break;
    }
    assert.deepEqual(seen.sort(), [going.instance, over.instance, late!.instance].sort());
    assert.equal(completed, 1);
  },
);

/** Publishes what nobody should send. */
function hostileMessages(random: Random, replyTo: string): readonly Message[] {
  const correlationId = crypto.randomUUID();
  const bodies = [
    "",
    "null",
    "[]",
    "{",
    '{"ask":1}',
    '{"ask":"echo","services":"all"}',
    '{"ask":"echo","instances":[1]}',
    '{"ask":"__proto__"}',
    '{"__proto__":{"ask":"echo"}}',
    "[".repeat(100_000),
    `{"ask":"echo","instances":["none"],"x":${"[".repeat(50_000)}${"]".repeat(50_000)}}`,
    new Uint8Array([0xff, 0xfe, 0]),
    `{"ask":"echo","long":"${"x".repeat(200_000)}"}`,
    ...Array.from(
      { length: 50 },
      () => Uint8Array.from({ length: random.length(2_000) }, () => random.below(256)),
    ),
  ];
  const message = (body: string | Uint8Array, properties: Message["properties"]): Message => ({
    exchange: CONTROL_EXCHANGE,
    routingKey: "",
    body,
    properties,
  });
  return [
    ...bodies.map((body) => message(body, { replyTo, correlationId })),
    message('{"ask":"echo"}', {}),
    message('{"ask":"echo"}', { replyTo }),
    message('{"ask":"echo"}', { correlationId }),
    message('{"ask":"echo"}', { replyTo, correlationId: "x".repeat(200) }),
    message('{"ask":"echo"}', { replyTo, correlationId: "\n" }),
  ];
}

law("ControlHost answers nothing that is no request, and goes on", async (open) => {
  const [serving, asking] = [await open(), await open()];
  const { instance } = await openHost(serving);
  const replyTo = replyQueueOf(crypto.randomUUID());
  await asking.declare({ queues: [{ name: replyTo, autoDelete: true, exclusive: true, durable: false }] });
  for (const message of hostileMessages(new Random(1), replyTo)) await asking.publish(message);
  assert.equal((await answersTo(asking, { ask: "echo", instances: [instance] })).length, 1);
  // Requests are read in their order, so all others have been read before.
  const own: string[] = [];
  const consumer = await asking.consume(replyTo, ({ properties: { headers } }) => {
    own.push(String(headers?.["x-enoki-instance"]));
    return Promise.resolve("ack");
  }, { prefetch: 100 });
  await consumer.stop();
  assert.equal(own.includes(instance), false);
});

law("ControlHost sends answers to queues for answers alone", async (open) => {
  const [serving, asking] = [await open(), await open()];
  const { instance } = await openHost(serving);
  const queue = `enoki_test_${crypto.randomUUID()}`;
  await asking.declare({ queues: [{ name: queue }] });
  try {
    const lifetime = 5_000;
    for (const replyTo of [queue, `enoki.control.reply-${queue}`, requestQueueOf(instance)]) {
      await asking.publish(
        requestMessage({ ask: "echo", instances: [instance] }, { replyTo, correlationId: "1", lifetime }),
      );
    }
    assert.equal((await answersTo(asking, { ask: "echo", instances: [instance] })).length, 1);
    assert.equal(await asking.countMessages(queue), 0);
  } finally {
    await asking.deleteQueue(queue);
  }
});

law("ControlClient leaves out answers that make no sense, and such as come twice", async (open) => {
  const [serving, asking] = [await open(), await open()];
  const [first, second] = [`a${crypto.randomUUID()}`, `b${crypto.randomUUID()}`];
  const queue = requestQueueOf(first);
  await serving.declare({
    queues: [{ name: queue, durable: false, exclusive: true, autoDelete: true }],
    bindings: [{ queue, exchange: CONTROL_EXCHANGE, routingKey: "" }],
    exchanges: [{ name: CONTROL_EXCHANGE, type: "fanout" }],
  });
  const random = new Random(2);
  await serving.consume(queue, async ({ body, properties: { replyTo, correlationId } }) => {
    if (!new TextDecoder().decode(body).includes(first)) return "ack";
    const answer = (instance: unknown, sequence: unknown, piece: unknown, pieces: unknown, body: string) =>
      serving.publish({
        exchange: "",
        routingKey: replyTo!,
        body,
        properties: {
          correlationId: correlationId!,
          headers: {
            "x-enoki-instance": instance as string,
            "x-enoki-sequence": sequence as number,
            "x-enoki-piece": piece as number,
            "x-enoki-pieces": pieces as number,
          },
        },
      });
    const odd = [null, "", "x", "__proto__", -1, 0.5, 1, 2 ** 40, {}, [], true];
    for (let left = 100; left > 0; left--) {
      await answer(
        random.pick(["\u001b[2J", "", 7, null]),
        random.pick(odd),
        random.pick(odd),
        random.pick(odd),
        "{}",
      );
    }
    for (const body of ['{"answer":{"right":true}}', '{"answer":{"right":false}}']) {
      await answer(first, 0, 0, 1, body);
    }
    await answer(second, 0, 1, 2, "ue}}");
    await answer(second, 0, 0, 3, '{"answer":{}}');
    await answer(second, 0, 0, 2, '{"answer":{"right":tr');
    return "ack";
  }, { prefetch: 1 });
  const answers = await answersTo(asking, { ask: "x", instances: [first, second] });
  assert.deepEqual(answers.map(({ instance, answer }) => [instance, answer]), [
    [first, { right: true }],
    [second, { right: true }],
  ]);
});
