import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { Worker } from "node:worker_threads";
import { type RingCodec, RingPort, type WakeTime } from "../../../runtime/channel/ring_port.ts";
import type { RingRecord } from "../../../runtime/channel/ring_record.ts";
import { createRing } from "../../../runtime/channel/shared_ring.ts";
import { TEXTS } from "../../fixtures/ring_texts.ts";

const RING_BYTES = 4_096;

interface Pair extends AsyncDisposable {
  readonly near: RingPort<unknown, unknown>;
  /** The counters of the ring that the other end reads, and of the ring that it writes to. */
  readonly rings: Readonly<Record<"read" | "written", Int32Array>>;
}

/** The words of a ring in which the one side counts what it has written, and the other side says that it waits. */
const WRITTEN = 0;
const WAITING = 2;

/** A port whose other end echoes, in a thread of its own. */
function openEcho(options: { readonly wakes?: WakeTime } = {}): Pair {
  const { port1, port2 } = new MessageChannel();
  const [outgoing, incoming] = [createRing(RING_BYTES), createRing(RING_BYTES)];
  const codecs = { outgoingCodec: TEXTS, incomingCodec: TEXTS };
  const near = new RingPort<unknown, unknown>(port1, { outgoing, incoming, ...codecs, ...options });
  const worker = new Worker(
    new URL("../../fixtures/ring_echo.ts", import.meta.url),
    {
      workerData: { port: port2, outgoing: incoming, incoming: outgoing },
      transferList: [port2 as unknown as Transferable],
    } as unknown as ConstructorParameters<typeof Worker>[1],
  );
  return {
    near,
    rings: { read: new Int32Array(outgoing, 0, 3), written: new Int32Array(incoming, 0, 3) },
    async [Symbol.asyncDispose]() {
      near.close();
      await worker.terminate();
    },
  };
}

/** Sends messages, at most `inFlight` at a time, and returns what comes back. */
async function echoed(
  messages: readonly unknown[],
  inFlight: number,
  options: { readonly wakes?: WakeTime } = {},
): Promise<unknown[]> {
  await using pair = openEcho(options);
  const { near } = pair;
  const back: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  let sent = 0;
  const send = () => {
    while (sent < messages.length && sent - back.length < inFlight) near.postMessage(messages[sent++]);
    if (options.wakes === "when told") near.wake();
  };
  near.onmessage = ({ data }) => {
    back.push(data);
    if (back.length === messages.length) resolve();
    else send();
  };
  send();
  await promise;
  return back;
}

/** Numbered texts of all lengths, and now and then bytes or something that no ring takes. */
function mixed(count: number): unknown[] {
  return Array.from({ length: count }, (_, index) => {
    if (index % 17 === 0) return [index];
    if (index % 5 === 0) return new Uint8Array(1 + index * 7_919 % 700).fill(index);
    return `${index}:${"é".repeat((index * 7_919) % 700)}`;
  });
}

for (const wakes of ["at once", "at end of turn", "when told"] as const) {
  for (const inFlight of [1, 2, 7, 64, 1_000]) {
    Deno.test(`RingPort that wakes ${wakes} delivers everything in order, ${inFlight} in flight`, async () => {
      const messages = mixed(20_000);
      assert.deepEqual(await echoed(messages, inFlight, { wakes }), messages);
    });
  }
}

Deno.test("RingPort carries a text that is larger than its ring", async () => {
  const messages = ["small", "x".repeat(RING_BYTES * 2), "small again"];
  assert.deepEqual(await echoed(messages, 3), messages);
});

Deno.test("RingPort keeps nothing of a message that its ring is too small for", () => {
  const { port1, port2 } = new MessageChannel();
  let used: RingRecord | undefined;
  const codec: RingCodec<unknown> = {
    ...TEXTS,
    encode(message, record) {
      used = record;
      return TEXTS.encode(message, record);
    },
  };
  const port = new RingPort<unknown, unknown>(port1, {
    outgoing: createRing(RING_BYTES),
    incoming: createRing(RING_BYTES),
    outgoingCodec: codec,
    incomingCodec: TEXTS,
  });
  for (const message of ["x".repeat(RING_BYTES * 2), new Uint8Array(RING_BYTES * 2)]) {
    port.postMessage(message);
    assert.equal(used?.text, "");
    assert.equal(used?.bytes, undefined);
  }
  port.close();
  port2.close();
});

Deno.test("RingPort gives bytes memory of their own, which later messages leave as it is", async () => {
  const sent = Array.from({ length: 100 }, (_, index) => new Uint8Array(500).fill(index));
  const received = await echoed(sent, 1) as Uint8Array[];
  assert.deepEqual(received, sent);
  assert.ok(received.every(({ buffer }) => buffer instanceof ArrayBuffer));
});

Deno.test("RingPort wakes the other side after a pause", async () => {
  await using pair = openEcho();
  const { near } = pair;
  for (let turn = 0; turn < 20; turn++) {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    near.onmessage = ({ data }) => resolve(data);
    near.postMessage(`${turn}`);
    assert.equal(await promise, `${turn}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

Deno.test("RingPort wakes the other side before its own turn ends", async () => {
  await using pair = openEcho();
  const { near, rings: { read, written } } = pair;
  while (Atomics.load(read, WAITING) === 0) await new Promise((resolve) => setImmediate(resolve));
  near.postMessage("now");
  const end = performance.now() + 10_000;
  while (Atomics.load(written, WRITTEN) === 0) assert.ok(performance.now() < end, "it has slept on");
});

Deno.test("RingPort that wakes when told wakes nobody before that, nor without a message", () => {
  const { port1, port2 } = new MessageChannel();
  const [outgoing, incoming] = [createRing(RING_BYTES), createRing(RING_BYTES)];
  const codecs = { outgoingCodec: TEXTS, incomingCodec: TEXTS };
  const port = new RingPort<unknown, unknown>(port1, { outgoing, incoming, ...codecs, wakes: "when told" });
  const words = new Int32Array(outgoing);
  const waits = () => Atomics.load(words, WAITING) === 1;
  Atomics.store(words, WAITING, 1);
  port.wake();
  assert.ok(waits());
  port.postMessage("told");
  assert.ok(waits());
  port.wake();
  assert.ok(!waits());
  port.close();
  port2.close();
});

Deno.test("RingPort delivers what came before anybody listened", async () => {
  const { port1, port2 } = new MessageChannel();
  const [there, back] = [createRing(RING_BYTES), createRing(RING_BYTES)];
  const codecs = { outgoingCodec: TEXTS, incomingCodec: TEXTS };
  const far = new RingPort<unknown, unknown>(port1, { outgoing: there, incoming: back, ...codecs });
  const late = new RingPort<unknown, unknown>(port2, { outgoing: back, incoming: there, ...codecs });
  far.postMessage("early");
  const { promise, resolve } = Promise.withResolvers<unknown>();
  late.onmessage = ({ data }) => resolve(data);
  assert.equal(await promise, "early");
  far.close();
  late.close();
});

/** Both ends of a channel in this thread. */
function openPair(bytes: number): { near: RingPort<unknown, unknown>; far: RingPort<unknown, unknown> } {
  const { port1, port2 } = new MessageChannel();
  const [there, back] = [createRing(bytes), createRing(bytes)];
  const codecs = { outgoingCodec: TEXTS, incomingCodec: TEXTS };
  return {
    near: new RingPort<unknown, unknown>(port1, { outgoing: there, incoming: back, ...codecs }),
    far: new RingPort<unknown, unknown>(port2, { outgoing: back, incoming: there, ...codecs }),
  };
}

Deno.test("RingPort delivers what is posted after a message that cannot be cloned", async () => {
  const { near, far } = openPair(RING_BYTES);
  assert.throws(() => near.postMessage([() => 1]), { name: "DataCloneError" });
  assert.throws(() => near.postMessage([Promise.resolve()]), { name: "DataCloneError" });
  near.postMessage("after");
  near.postMessage(["after"]);
  const back: unknown[] = [];
  await new Promise<void>((resolve) => {
    far.onmessage = ({ data }) => void (back.push(data) === 2 && resolve());
  });
  assert.deepEqual(back, ["after", ["after"]]);
  near.close();
  far.close();
});

Deno.test("RingPort keeps what comes while a listener rests", async () => {
  const { near, far } = openPair(RING_BYTES);
  const back: unknown[] = [];
  const sent = [["first"], ["second"], "third", ["fourth"]];
  await new Promise<void>((resolve) => {
    far.onmessage = ({ data }) => void (back.push(data), resolve());
    near.postMessage(sent[0]);
  });
  far.onmessage = null;
  for (const message of sent.slice(1)) near.postMessage(message);
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(back.length, 1);
  await new Promise<void>((resolve) => {
    far.onmessage = ({ data }) => void (back.push(data) === sent.length && resolve());
  });
  assert.deepEqual(back, sent);
  near.close();
  far.close();
});

Deno.test("RingPort lets the event loop turn while there are ever more messages", async () => {
  const { near, far } = openPair(1_048_576);
  const count = 10_000;
  for (let number = 0; number < count; number++) near.postMessage(String(number));
  let received = 0;
  let atNextTurn = Infinity;
  await new Promise<void>((resolve) => {
    far.onmessage = () => {
      if (received++ === 0) setImmediate(() => atNextTurn = received);
      if (received === count) resolve();
    };
  });
  assert.ok(atNextTurn <= 1_024, `${atNextTurn} messages came in one turn`);
  near.close();
  far.close();
});
