import { strictEqual } from "node:assert/strict";
import {
  consume,
  exchange,
  type Publish,
  publisher,
  type Queue,
  queue,
  queueName,
  type Requester,
  requester,
  type UnnamedQueue,
} from "../../extensions/messaging/mod.ts";
import { rpc } from "../../extensions/rpc/mod.ts";
import type { ReceivedMessage } from "../../runtime/service/entrypoint.ts";
import { service } from "../../runtime/service/service.ts";
import type { Equal, Expect } from "./equality.ts";

interface Task {
  readonly title: string;
}

Deno.test("consume() types the payload and the message of its handler", () => {
  const worker = service("worker", {
    entrypoints: { work: consume<Task>(queue("tasks")) },
    handlers: {
      work(_context, task, message) {
        type _1 = Expect<Equal<typeof task, Task>>;
        type _2 = Expect<Equal<typeof message, ReceivedMessage>>;
        type _3 = Expect<Equal<typeof message.properties.replyTo, string | undefined>>;
      },
    },
  });
  strictEqual(worker.name, "worker");
});

Deno.test("consume() without a type gives its handler something unknown", () => {
  const worker = service("worker", {
    entrypoints: { work: consume(queue("tasks")) },
    handlers: {
      work(_context, task) {
        type _ = Expect<Equal<typeof task, unknown>>;
      },
    },
  });
  strictEqual(worker.name, "worker");
});

Deno.test("consume() does not compile with a handler of another payload", () => {
  const worker = service("worker", {
    entrypoints: { work: consume<Task>(queue("tasks")) },
    handlers: {
      // @ts-expect-error A task is no text.
      work: (_context, _task: string) => {},
    },
  });
  strictEqual(worker.name, "worker");
});

Deno.test("publisher() types what is published", () => {
  const boss = service("boss", {
    dependencies: { publish: publisher<Task>({ exchange: exchange("tasks") }), anything: publisher() },
    entrypoints: { assign: rpc() },
    handlers: {
      async assign({ publish, anything }, title: string) {
        type _1 = Expect<Equal<typeof publish, Publish<Task>>>;
        type _2 = Expect<Equal<typeof anything, Publish<unknown>>>;
        await publish({ title }, { priority: 5, correlationId: undefined });
        await anything(5);
        // @ts-expect-error A task has a title.
        await publish({ name: title });
        // @ts-expect-error There is no such option.
        await publish({ title }, { routing_key: "k" });
      },
    },
  });
  strictEqual(boss.name, "boss");
});

Deno.test("queue() without a name has none that a publisher could use", () => {
  const [named, mine] = [queue("tasks"), queue({ exchange: "logs" })];
  type _1 = Expect<Equal<typeof named, Queue>>;
  type _2 = Expect<Equal<typeof mine, UnnamedQueue>>;
  // @ts-expect-error Its name is made when the service starts.
  const routingKey = mine.name;
  // @ts-expect-error It is exclusive in any case.
  queue({ exclusive: false });
  const listener = service("listener", {
    dependencies: { name: queueName(mine) },
    entrypoints: { hear: consume<Task>(mine) },
    handlers: {
      hear({ name }, task, message) {
        type _3 = Expect<Equal<typeof name, string>>;
        type _4 = Expect<Equal<typeof task, Task>>;
        type _5 = Expect<Equal<typeof message.queue, string>>;
      },
    },
  });
  strictEqual(listener.name, "listener");
  strictEqual(routingKey, undefined);
});

Deno.test("requester() types its requests and their answers", () => {
  const asker = service("asker", {
    dependencies: { ask: requester<Task, number>({ routingKey: "questions" }), anything: requester() },
    entrypoints: { run: rpc() },
    handlers: {
      async run({ ask, anything }, title: string) {
        type _1 = Expect<Equal<typeof ask, Requester<Task, number>>>;
        const answer = await ask({ title }, { timeout: 5_000 });
        type _2 = Expect<Equal<typeof answer, number>>;
        const other = await anything(5);
        type _3 = Expect<Equal<typeof other, unknown>>;
        // @ts-expect-error A task has a title.
        await ask({ name: title });
        // @ts-expect-error The exchange is the requester's.
        await ask({ title }, { exchange: "other" });
      },
    },
  });
  strictEqual(asker.name, "asker");
});
