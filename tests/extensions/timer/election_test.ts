import assert from "node:assert/strict";
import { attemptInterval, standForElection } from "../../../extensions/timer/election.ts";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { createLog } from "../../../runtime/log/log.ts";
import type { Transport } from "../../../runtime/message/transport.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";

/** What happened, in its order: `a leads`, `a ends`, `b stands by`. */
class Chronicle {
  readonly events: string[] = [];
  #wake = Promise.withResolvers<void>();

  add(event: string): void {
    this.events.push(event);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  /** Waits until there are so many. */
  async count(count: number): Promise<readonly string[]> {
    while (this.events.length < count) await this.#wake.promise;
    return this.events.slice(0, count);
  }
}

/** Somebody who stands for election, and leads until told otherwise. */
class Candidate implements AsyncDisposable {
  readonly #stopping = new AbortController();
  readonly #standing: Promise<void>;

  constructor(name: string, transport: Transport, queue: string, chronicle: Chronicle) {
    this.#standing = standForElection(transport, {
      queue,
      log: createLog({
        emit: ({ message }) => message.startsWith("Stands by at") && chronicle.add(`${name} stands by`),
      }),
      signal: this.#stopping.signal,
      lead: (signal) => {
        chronicle.add(`${name} leads`);
        return new Promise((resolve) =>
          signal.addEventListener("abort", () => {
            chronicle.add(`${name} ends`);
            resolve();
          }, { once: true })
        );
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#standing;
  }
}

async function connected(transport: Transport): Promise<Transport> {
  await transport.connect();
  return transport;
}

Deno.test("standForElection() lets one lead, and another when that one stops", async () => {
  const broker = new MemoryBroker();
  await using one = await connected(memory({ broker }));
  await using other = await connected(memory({ broker }));
  const chronicle = new Chronicle();
  const first = new Candidate("first", one, "seat", chronicle);
  await chronicle.count(1);
  await using _second = new Candidate("second", other, "seat", chronicle);
  await chronicle.count(2);
  await first[Symbol.asyncDispose]();
  assert.deepEqual(await chronicle.count(4), [
    "first leads",
    "second stands by",
    "first ends",
    "second leads",
  ]);
});

Deno.test("standForElection() resolves when the leader has nothing more to do, and lets another lead", async () => {
  await using transport = await connected(memory());
  const log = createLog({ emit: () => {} });
  const { signal } = new AbortController();
  for (let count = 0; count < 2; count++) {
    await standForElection(transport, { queue: "seat", log, signal, lead: () => Promise.resolve() });
  }
});

Deno.test("who stands by asks less and less often, but every five seconds at least", () => {
  const intervals = [1, 2, 3, 4, 5, 6, 1_000].map(attemptInterval);
  assert.deepEqual(intervals, [1_000, 2_000, 3_000, 4_000, 5_000, 5_000, 5_000]);
});

brokerTest("standForElection() ends the term when the connection is lost, and another leads", async (uri) => {
  const queue = `enoki.timer.test-${crypto.randomUUID().slice(0, 8)}.seat`;
  await using unstable = await SeverableProxy.open(uri);
  await using one = await connected(amqp(unstable.uri, { retryStep: 100, retryLimit: 100 }));
  await using other = await connected(amqp(uri));
  const chronicle = new Chronicle();
  {
    await using _first = new Candidate("first", one, queue, chronicle);
    await chronicle.count(1);
    await using _second = new Candidate("second", other, queue, chronicle);
    await chronicle.count(2);
    unstable.down = true;
    await unstable.sever();
    assert.deepEqual(await chronicle.count(4), [
      "first leads",
      "second stands by",
      "first ends",
      "second leads",
    ]);
    unstable.down = false;
  }
  await other.deleteQueue(queue);
});

brokerTest("standForElection() stands again after its connection was lost", async (uri) => {
  const queue = `enoki.timer.test-${crypto.randomUUID().slice(0, 8)}.seat`;
  await using proxy = await SeverableProxy.open(uri);
  await using transport = await connected(amqp(proxy.uri, { retryStep: 100 }));
  const chronicle = new Chronicle();
  {
    await using _only = new Candidate("only", transport, queue, chronicle);
    await chronicle.count(1);
    await proxy.sever();
    assert.deepEqual(await chronicle.count(3), ["only leads", "only ends", "only leads"]);
  }
  await transport.deleteQueue(queue);
});

brokerTest("standForElection() stops at once while the broker is out of reach", async (uri) => {
  const queue = `enoki.timer.test-${crypto.randomUUID().slice(0, 8)}.seat`;
  await using proxy = await SeverableProxy.open(uri);
  const transport = await connected(amqp(proxy.uri, { retryStep: 60_000, retryLimit: 60_000 }));
  const chronicle = new Chronicle();
  {
    await using _only = new Candidate("only", transport, queue, chronicle);
    await chronicle.count(1);
    proxy.down = true;
    await proxy.sever();
    await chronicle.count(2);
  }
  await transport.close();
  await using sweeper = await connected(amqp(uri));
  await sweeper.deleteQueue(queue);
});
