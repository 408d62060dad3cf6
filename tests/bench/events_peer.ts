// deno-lint-ignore-file no-console -- a benchmark prints what it measured
/**
 * One side of the events benchmark in a process of its own: `emit <kind> <broker>` or `handle <kind> <broker>`.
 *
 * It prints `ready`, then reads a number of events a line: an emitter dispatches as many and answers when all are
 * confirmed, a handler answers when it has acked as many.
 */
import { connect as connectAmqp } from "amqplib";
import { amqp } from "../../extensions/amqp/mod.ts";
import { connect, run } from "../../extensions/run.ts";
import { PAYLOAD } from "./load.ts";
import { lines } from "./peer.ts";

const EXCHANGE = "bench-bare.events";
const QUEUE = "bench-bare-placed";

/** Counts acked events, for whoever waits for so many more. The first of them may be acked before anybody waits. */
class Counter {
  #count = 0;
  #target = 0;
  #reached = () => {};

  add(): void {
    if (++this.#count === this.#target) this.#reached();
  }

  reach(more: number): Promise<void> {
    this.#target += more;
    return new Promise((resolve) => {
      if (this.#count >= this.#target) resolve();
      else this.#reached = resolve;
    });
  }
}

type Perform = (count: number) => Promise<unknown>;

async function openBare(broker: string) {
  const connection = await connectAmqp(broker, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  await channel.assertExchange(EXCHANGE, "topic");
  await channel.assertQueue(QUEUE);
  await channel.bindQueue(QUEUE, EXCHANGE, "placed");
  return channel;
}

async function emitBare(broker: string): Promise<Perform> {
  const channel = await openBare(broker);
  const publish = () =>
    new Promise<void>((resolve) =>
      channel.publish(EXCHANGE, "placed", Buffer.from(JSON.stringify(PAYLOAD)), {
        contentType: "application/json",
        contentEncoding: "utf-8",
        persistent: true,
        priority: 0,
        headers: { "nameko.call_id_stack": ["bench.call.1"] },
      }, () => resolve())
    );
  return async (count) => {
    let left = count;
    await Promise.all(Array.from({ length: 50 }, async () => {
      while (left-- > 0) await publish();
    }));
  };
}

async function handleBare(broker: string): Promise<Perform> {
  const channel = await openBare(broker);
  const counter = new Counter();
  await channel.prefetch(50);
  await channel.consume(QUEUE, (message) => {
    JSON.parse(message!.content.toString());
    channel.ack(message!);
    counter.add();
  });
  return (count) => counter.reach(count);
}

/** The other side has no process of its own, either. */
const config = { isolation: "threads" };

async function emitEnoki(broker: string): Promise<Perform> {
  await run([`${new URL(import.meta.resolve("./events_services.ts"))}:bench_emitter`], { broker, config });
  const connection = await connect({ broker, timeout: 600_000 });
  return (count) => connection.client("bench_emitter").emit!(count, PAYLOAD);
}

async function handleEnoki(broker: string): Promise<Perform> {
  const transport = amqp(broker);
  const counter = new Counter();
  const consume = transport.consume.bind(transport);
  transport.consume = (queue, receiver, options) =>
    consume(queue, async (delivery) => {
      const verdict = await receiver(delivery);
      counter.add();
      return verdict;
    }, options);
  await run([`${new URL(import.meta.resolve("./events_services.ts"))}:bench_handler`], {
    broker: transport,
    config,
  });
  return (count) => counter.reach(count);
}

const SIDES: Readonly<Record<string, (broker: string) => Promise<Perform>>> = {
  "emit bare": emitBare,
  "emit enoki": emitEnoki,
  "handle bare": handleBare,
  "handle enoki": handleEnoki,
};

const [role, kind, broker] = Deno.args;
const perform = await SIDES[`${role} ${kind}`]!(broker!);
console.log("ready");
for await (const line of lines(Deno.stdin.readable)) {
  await perform(Number(line));
  console.log("done");
}
