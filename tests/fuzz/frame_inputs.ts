/** Messages, reports and frames, as the process of a service may send them once code of the service has taken it over. */
import { Buffer } from "node:buffer";
import type { FromThread } from "../../runtime/channel/port.ts";
import { FROM_THREAD } from "../../runtime/channel/port_codec.ts";
import { RingRecord } from "../../runtime/channel/ring_record.ts";
import { frameOf } from "../../runtime/channel/frames/framed_record.ts";
import { type Frame, FrameKind } from "../../runtime/channel/frames/frame_stream.ts";
import { plainFrame } from "../../runtime/channel/frames/plain_form.ts";
import type { Random } from "./random.ts";

const FAILURE = { name: "E", message: "m", code: "ERROR", retryable: false, data: { a: [1, null] } };

const MANIFEST = {
  name: "played",
  entrypoints: [{ method: "m", kind: "rpc", options: { sensitive: ["a"] }, details: { schema: {} } }],
  dependencies: [{ key: "rpc", kind: "rpc", options: {} }],
};

/** A message of each type, as an honest thread sends it. */
const HONEST: readonly FromThread[] = [
  { type: "loaded", services: [{ exportName: "default", manifest: MANIFEST }] },
  { type: "described", services: [{ exportName: "default", manifest: MANIFEST }] },
  { type: "ready", parameters: {} },
  { type: "unready", failure: FAILURE },
  { type: "done", slot: 0, body: "{}", elapsed: 1, head: { status: 200, headers: [["a", "b"]] } },
  { type: "done", slot: 1, body: "", elapsed: 1, fault: { name: "E", expected: true } },
  { type: "opened", slot: 2, head: "text/plain" },
  { type: "chunk", slot: 2, chunk: new Uint8Array(9) },
  { type: "skipped", slot: 3 },
  { type: "failed", slot: 4, failure: FAILURE, expected: false, elapsed: 1 },
  {
    type: "request",
    id: 1,
    timeout: 1_000,
    request: {
      service: "s",
      method: "m",
      body: "x".repeat(2_000),
      headers: { at: new Date(0), id: new Uint8Array(2) },
    } as never,
  },
  {
    type: "publish",
    id: 2,
    message: { exchange: "e", routingKey: "r", body: new Uint8Array(3), properties: { headers: { a: -0 } } },
  },
  { type: "withdraw", id: 2 },
  { type: "log", record: { level: "info", message: "m", fields: { a: 1 } } as never },
  { type: "inspected", id: 1, piece: new Uint8Array(4) },
  { type: "heap", used: 1 },
  { type: "pong" },
  { type: "exiting", code: 1 },
  { type: "stopped" },
];

/** What stands in the JSON for a value that JSON does not have, and what must not stand there. */
const SPECIALS: readonly unknown[] = [
  ["object", { "": 1, "__proto__": { polluted: 1 } }],
  ["object", ["object"]],
  ["text", 0, 4],
  ["text", -1, 1e308],
  ["text", 0, 2 ** 32],
  ["bytes", 0, 2],
  ["bytes", 2 ** 31, 2 ** 31],
  ["bytes", "0", null],
  ["number", "-0"],
  ["number", "9".repeat(2_000)],
  ["integer", "12x"],
  ["integer", "9".repeat(2_000)],
  ["date", 1e300],
  ["date", {}],
  ["undefined"],
  ["then"],
  {},
  null,
];

const PROTO = JSON.parse(
  '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1}',
);

/** Makes a frame for the main thread: an honest one, or one that has suffered. */
export function hostileFrame(random: Random): Frame {
  const message = suffered(random, random.pick(HONEST), 0.1) as FromThread;
  return sufferedFrame(random, framed(random, message));
}

/** Makes the text of a report that has suffered. */
export function hostileReport(random: Random): string {
  const report = random.pick<unknown>([
    { type: "recalled", question: 1, slots: [0, 1] },
    { type: "ended", id: 1, reason: "r", unstarted: [0], received: 1 },
  ]);
  const text = JSON.stringify(
    suffered(random, report, 0.2),
    (_key, value) => typeof value === "bigint" ? `${value}` : value,
  ) ?? random.text(100);
  return random.below(4) === 0 ? text.slice(random.below(text.length)) : text;
}

/** Makes the bytes of a frame, of which some have suffered, too. */
export function hostileBytes(random: Random, receiver: number): Uint8Array<ArrayBuffer> {
  const { kind, head = new Uint8Array(), text, bytes = new Uint8Array() } = random.below(4) === 0
    ? { kind: FrameKind.control, text: hostileReport(random) }
    : hostileFrame(random);
  const encoded = new TextEncoder().encode(text);
  const header = new Uint32Array([(receiver << 2) | kind, head.length, encoded.length, bytes.length]);
  const all = new Uint8Array(Buffer.concat([new Uint8Array(header.buffer), head, encoded, bytes]));
  for (let changes = random.below(6) - 2; changes > 0; changes--) {
    all[random.below(Math.min(all.length, 64))] = random.below(256);
  }
  return random.below(20) === 0 ? all.subarray(0, random.below(all.length)) : all;
}

function framed(random: Random, message: FromThread): Frame {
  const record = new RingRecord(FROM_THREAD.shape);
  try {
    if (random.below(3) > 0 && FROM_THREAD.encode(message, record)) return frameOf(record);
    return plainFrame(message);
  } catch {
    return { kind: FrameKind.plain, head: new Uint8Array(4), text: random.text(100) };
  }
}

/** Replaces some parts of a value. */
function suffered(random: Random, value: unknown, share: number): unknown {
  if (random.next() < share) return random.pick([foreign, (random: Random) => random.json(3)])(random);
  if (Array.isArray(value)) return value.map((item) => suffered(random, item, share));
  if (typeof value !== "object" || value === null || value instanceof Uint8Array || value instanceof Date) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, suffered(random, item, share)]));
}

function foreign(random: Random): unknown {
  return random.pick<unknown>([
    PROTO,
    { "": random.pick(SPECIALS) },
    new Date(NaN),
    NaN,
    12n,
    undefined,
    new Uint8Array(random.length(100)),
    random.text(3_000),
    nested(random.length(1_000)),
    new Map([[1, 2]]),
  ]);
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { a: value };
  return value;
}

/** Changes the parts of a frame, behind the back of whoever has made them fit. */
function sufferedFrame(random: Random, { kind, head, text, bytes }: Frame): Frame {
  switch (random.below(8)) {
    case 0:
      return { kind: random.pick(Object.values(FrameKind)), head, text, bytes };
    case 1: {
      const other = new Uint8Array(head ?? []);
      if (other.length > 0) other[random.below(other.length)] = random.below(256);
      return { kind, head: other, text, bytes };
    }
    case 2:
      return { kind, head: random.bytes(64), text, bytes };
    case 3:
      return { kind, head, text: text.slice(random.below(text.length + 1)), bytes };
    case 4: {
      const special = JSON.stringify({ "": random.pick(SPECIALS) });
      const changed = random.pick([
        text.replace(/\d+|null/, () => special),
        "[".repeat(random.length(100_000)),
        text.replace(/"\w+":/, () => '"__proto__":'),
      ]);
      const length = new Uint32Array([changed.length]);
      return { kind: FrameKind.plain, head: new Uint8Array(length.buffer), text: changed, bytes };
    }
    case 5:
      return { kind, head, text, bytes: bytes ? undefined : random.bytes(64) };
    default:
      return { kind, head, text, bytes };
  }
}
