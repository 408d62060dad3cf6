/** Bytes of a broker: whatever it sends, the process lives, connects again, and serves its other connections. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { setImmediate as turn } from "node:timers/promises";
import { amqp } from "../../extensions/amqp/mod.ts";
import { logStatus } from "../../extensions/broker.ts";
import { createLog } from "../../runtime/log/log.ts";
import { formatPrettyLine } from "../../runtime/log/log_line.ts";
import type { Transport } from "../../runtime/message/transport.ts";
import {
  type AttackStage,
  CONSUMER_TAG,
  FakeBroker,
  methodFrame,
  rawFrame,
  shortText,
} from "../fixtures/fake_broker.ts";
import { memoryInUse, processorTime } from "../fixtures/thread_usage.ts";
import { hostileBytes } from "./amqp_frames.ts";
import { INPUTS, LIMIT, prototypeNames, SEED } from "./fuzzing.ts";
import { Random } from "./random.ts";

/** Part of all inputs that goes through a socket, which takes longer. */
const SHARE = 1 / 40;

/** Milliseconds within which a client is back. */
const PATIENCE = 10_000;

/** Bytes by which the memory may grow: that of some frames and bodies, and what has not been collected yet. */
const MEMORY = 256 * 2 ** 20;

/** A client of a broker that a test plays. */
class Victim implements AsyncDisposable {
  readonly broker: FakeBroker;
  readonly transport: Transport;
  readonly reasons: string[] = [];
  /** Number of times that the client has reported a broker that takes no messages. */
  blocks = 0;
  #consumed = Promise.withResolvers<void>();

  constructor(broker: FakeBroker) {
    this.broker = broker;
    const log = logStatus(createLog({ emit: (record) => void formatPrettyLine(record, true) }));
    this.transport = amqp(broker.uri, {
      retryStart: 1,
      retryStep: 0,
      connectTimeout: PATIENCE,
      checkInterval: 0,
      onStatus: (status) => {
        log(status);
        if (status.state === "blocked") this.blocks++;
        if (status.state === "lost") this.reasons.push(status.reason);
      },
    });
    broker.onConsumed = () => this.#consumed.resolve();
  }

  static async open(): Promise<Victim> {
    const victim = new Victim(await FakeBroker.open());
    await victim.transport.connect();
    await victim.transport.declare({ queues: [{ name: "q" }] });
    await victim.transport.consume("q", () => new Promise(() => {}), { prefetch: 100 });
    await victim.works();
    return victim;
  }

  /** Lets a broker send bytes and end the connection. Returns the longest time that the event loop stood still. */
  async suffer(stage: AttackStage, bytes: Uint8Array): Promise<number> {
    this.#consumed = Promise.withResolvers();
    if (stage === "serving") this.broker.strike(bytes);
    else {
      this.broker.attack = { stage, bytes };
      this.broker.strike(new Uint8Array());
    }
    return await longestTurn(this.#consumed.promise);
  }

  /** Resolves if the client publishes and gets a confirm. */
  async works(): Promise<void> {
    const message = { exchange: "", routingKey: "q", body: "x", properties: {} };
    await this.transport.publish(message, { signal: AbortSignal.timeout(PATIENCE) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transport.close();
    await this.broker[Symbol.asyncDispose]();
  }
}

async function longestTurn(end: Promise<unknown>): Promise<number> {
  let isOver = false;
  void end.then(() => isOver = true);
  let longest = 0;
  const start = performance.now();
  for (let last = start, worked = processorTime(); !isOver;) {
    await turn();
    const now = performance.now();
    const working = processorTime();
    // On a machine that is busy, time goes by in which this thread does not run.
    longest = Math.max(longest, Math.min(now - last, working - worked));
    [last, worked] = [now, working];
    assert.ok(now - start < PATIENCE, "the client does not come back");
  }
  return longest;
}

const STAGES: readonly AttackStage[] = ["serving", "serving", "serving", "open", "tune", "start"];

Deno.test("an AMQP client comes back in little time, whatever a broker sends", async () => {
  await using victim = await Victim.open();
  await using other = await Victim.open();
  const names = prototypeNames();
  const random = new Random(SEED);
  const before = memoryInUse();
  for (let input = 0; input < INPUTS * SHARE; input++) {
    const stage = random.pick(STAGES);
    const bytes = hostileBytes(random);
    let took = await victim.suffer(stage, bytes);
    // A pause of the garbage collector does not come again and again.
    for (let tries = 0; took > LIMIT && tries < 5; tries++) {
      took = Math.min(took, await victim.suffer(stage, bytes));
    }
    assert.ok(took <= LIMIT, `input ${input} (${stage}) took ${took.toFixed(0)} ms`);
    if (input % 50 === 0) await Promise.all([victim.works(), other.works()]);
  }
  await Promise.all([victim.works(), other.works()]);
  assert.deepEqual(other.reasons, []);
  assert.deepEqual(prototypeNames(), names, "an input has changed a prototype");
  const grown = memoryInUse() - before;
  assert.ok(grown < MEMORY, `the memory has grown by ${grown} bytes`);
});

function deliver(channel: number, tag: bigint): Buffer {
  const numbers = Buffer.alloc(9);
  numbers.writeBigUInt64BE(tag);
  const fields = [shortText(CONSUMER_TAG), numbers, shortText(""), shortText("q")];
  return methodFrame(channel, 60, 60, Buffer.concat(fields));
}

function bodyHeader(channel: number, size: bigint): Buffer {
  const head = Buffer.alloc(14);
  head.writeUInt16BE(60, 0);
  head.writeBigUInt64BE(size, 4);
  return rawFrame(2, channel, head);
}

/** Makes frames on the channel of the consumer. */
const VIOLATIONS: readonly (readonly [name: string, reason: RegExp, bytes: (channel: number) => Buffer])[] = [
  [
    "a body that no memory holds",
    /a body of 1099511627776 bytes/,
    (channel) => Buffer.concat([deliver(channel, 1n), bodyHeader(channel, 2n ** 40n)]),
  ],
  ["a body in frames without content", /a body in too many frames/, (channel) =>
    Buffer.concat([
      deliver(channel, 1n),
      bodyHeader(channel, 9n),
      ...Array(1_100).fill(rawFrame(3, channel, Buffer.alloc(0))),
    ])],
  [
    "a body bigger than announced",
    /Too much content/,
    (channel) =>
      Buffer.concat([deliver(channel, 1n), bodyHeader(channel, 1n), rawFrame(3, channel, Buffer.alloc(2))]),
  ],
  ["a header without a method", /Expected/, (channel) => bodyHeader(channel, 0n)],
  [
    "deliveries with a gap",
    /the number 7 instead of 1/,
    (channel) => Buffer.concat([deliver(channel, 7n), bodyHeader(channel, 0n)]),
  ],
  ["more messages than it may", /more than 200 messages/, (channel) =>
    Buffer.concat(
      Array.from(
        { length: 201 },
        (_, index) => [deliver(channel, BigInt(index + 1)), bodyHeader(channel, 0n)],
      )
        .flat(),
    )],
  ["a frame beyond the agreed size", /exceeds/, (channel) => {
    const frame = rawFrame(3, channel, Buffer.alloc(9));
    frame.writeUInt32BE(200_000, 3);
    return frame;
  }],
  ["a frame on a channel that is not open", /unknown channel/, () => rawFrame(3, 77, Buffer.alloc(1))],
];

for (const [name, reason, bytes] of VIOLATIONS) {
  Deno.test(`an AMQP client leaves a broker that sends ${name}, and connects again`, async () => {
    await using victim = await Victim.open();
    const back = Promise.withResolvers<void>();
    victim.broker.onConsumed = () => back.resolve();
    // The broker keeps the connection open, and answers no close.
    victim.broker.betray(bytes(victim.broker.consumerChannel));
    await longestTurn(back.promise);
    assert.match(victim.reasons[0]!, reason);
    await victim.works();
  });
}

Deno.test("an AMQP client gives up a broker that answers too slowly, a byte at a time", async () => {
  const server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using connection = await server.accept();
    // The beginning of a long frame.
    await connection.write(Uint8Array.of(1, 0, 0, 0, 1, 0, 0));
    const dripping = setInterval(() => connection.write(Uint8Array.of(1)).catch(() => {}), 20);
    await connection.readable.pipeTo(new WritableStream()).catch(() => {});
    clearInterval(dripping);
  })();
  await using transport = amqp(`amqp://127.0.0.1:${server.addr.port}`, { connectTimeout: 200 });
  await assert.rejects(transport.connect(), /no answer within 200 ms/);
  await serving.catch(() => {});
  server.close();
});

Deno.test("an AMQP client reports once what a broker changes often in one piece", async () => {
  await using victim = await Victim.open();
  const pair = [methodFrame(0, 10, 60, shortText("memory")), methodFrame(0, 10, 61, [])];
  await victim.suffer("serving", Buffer.concat(Array(2_000).fill(pair).flat()));
  assert.ok(victim.blocks <= 10, `${victim.blocks} reports`);
});
