/** AMQP frames that no good broker sends. */
import { Buffer } from "node:buffer";
import { CONSUMER_TAG, methodFrame, rawFrame, shortText } from "../fixtures/fake_broker.ts";
import type { Random } from "./random.ts";

/** Bytes of one input at most. */
const MOST = 65_536;

/** Classes, and the methods that each has or might have. */
const CLASSES = [0, 10, 20, 30, 40, 50, 60, 85, 90, 65_535];
const METHODS = [0, 1, 10, 11, 20, 21, 30, 31, 40, 41, 50, 51, 60, 61, 70, 80, 90, 100, 110, 111, 120];

/** Channels that a client of the test uses, and others. */
const CHANNELS = [0, 1, 1, 2, 2, 3, 3, 9, 65_535];

const FIELD_TYPES = "tbBsuUiIlLfdDSsATFVx\0?".split("");

/** Makes the bytes of one input: frames, of which any may be wrong. */
export function hostileBytes(random: Random): Buffer {
  const frames: Buffer[] = [];
  const count = random.length(60);
  for (let left = count + 1, size = 0; left > 0 && size < MOST; left--) {
    const unit = hostileFrame(random);
    // Many of a kind are worse than one.
    for (let times = random.below(20) === 0 ? random.length(8_000) : 1; times > 0 && size < MOST; times--) {
      frames.push(unit);
      size += unit.length;
    }
  }
  const bytes = Buffer.concat(frames).subarray(0, MOST);
  return random.below(4) === 0 ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
}

function hostileFrame(random: Random): Buffer {
  const channel = random.pick(CHANNELS);
  switch (random.below(14)) {
    case 0:
      return methodFrame(channel, random.pick(CLASSES), random.pick(METHODS), random.bytes(300));
    case 1:
      return rawFrame(random.below(10), channel, random.bytes(2_000));
    case 2:
      return rawFrame(1 + random.below(3), channel, random.bytes(50), random.below(256));
    case 3: {
      const frame = rawFrame(random.pick([1, 2, 3, 8]), channel, random.bytes(50));
      frame.writeUInt32BE(random.pick([0, 1, 131_072, 131_073, 2 ** 26, 2 ** 31, 2 ** 32 - 1]), 3);
      return frame;
    }
    case 4:
    case 5:
    case 6:
      return delivery(random, channel);
    case 7:
      return header(channel, random.pick([0n, 1n, 2n ** 31n, 2n ** 63n, 2n ** 64n - 1n]), table(random));
    case 8:
      return rawFrame(3, channel, random.bytes(2_000));
    case 9: {
      const tag = Buffer.alloc(9);
      tag.writeBigUInt64BE(random.pick([0n, 1n, 2n, 65_536n, 2n ** 32n - 2n, 2n ** 53n, 2n ** 64n - 1n]));
      tag[8] = random.below(2);
      return methodFrame(channel, 60, random.pick([80, 120]), tag);
    }
    case 10:
      return methodFrame(0, 10, random.pick([60, 61]), shortText("memory"));
    case 11:
      return methodFrame(channel, 60, 30, Buffer.concat([tagOf(random), Buffer.of(0)]));
    case 12:
      return methodFrame(
        channel,
        random.pick([10, 20]),
        random.pick([40, 50]),
        Buffer.concat([Buffer.of(random.below(4), random.below(256)), shortText("no"), Buffer.alloc(4)]),
      );
    default:
      return methodFrame(0, 10, random.pick([10, 30]), Buffer.concat([Buffer.of(0, 9), table(random)]));
  }
}

/** A delivery or a return, whose parts may not fit together. */
function delivery(random: Random, channel: number): Buffer {
  const body = random.bytes(2_000);
  const said = random.pick([
    body.length,
    body.length,
    body.length + 1,
    Math.max(0, body.length - 1),
    2 ** 40,
  ]);
  const numbers = Buffer.alloc(9);
  numbers.writeBigUInt64BE(random.pick([0n, 1n, 1n, 2n, 2n ** 64n - 1n]));
  const where = Buffer.concat([shortText("e"), shortText("k")]);
  const method = random.below(8) === 0
    ? methodFrame(channel, 60, 50, Buffer.concat([Buffer.of(1, 56), shortText("NO_ROUTE"), where]))
    : methodFrame(channel, 60, 60, Buffer.concat([tagOf(random), numbers, where]));
  const frames = [
    method,
    header(channel, BigInt(said), table(random)),
    ...Array.from({ length: random.pick([0, 0, 1, 500]) }, () => rawFrame(3, channel, Buffer.alloc(0))),
    rawFrame(3, random.below(10) === 0 ? random.pick(CHANNELS) : channel, body),
  ];
  if (random.below(4) === 0) frames.splice(random.below(frames.length), 1);
  return Buffer.concat(frames);
}

function tagOf(random: Random): Buffer {
  return shortText(random.below(5) === 0 ? random.text(300) : CONSUMER_TAG);
}

function header(channel: number, size: bigint, headers: Buffer): Buffer {
  const head = Buffer.alloc(14);
  head.writeUInt16BE(60, 0);
  head.writeBigUInt64BE(size, 4);
  head.writeUInt16BE(0x2000, 12);
  return rawFrame(2, channel, Buffer.concat([head, headers]));
}

/** A table with its length, which may be wrong. */
function table(random: Random): Buffer {
  if (random.below(10) === 0) return nested(random.length(9_000), random.pick(["F", "A"]));
  const fields = Array.from(
    { length: random.length(30) },
    () => Buffer.concat([shortText(random.pick(["__proto__", "a", random.text(20)])), field(random)]),
  );
  return sized(random, Buffer.concat(fields));
}

function field(random: Random): Buffer {
  const type = random.pick(FIELD_TYPES);
  const bytes = Buffer.from(random.bytes(60));
  const value = "SAFx".includes(type)
    ? sized(random, bytes)
    : Buffer.concat([bytes, Buffer.alloc(9)]).subarray(0, 9);
  return Buffer.concat([Buffer.from(type, "latin1"), value]);
}

function sized(random: Random, bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(random.below(8) === 0 ? random.pick([0, 2 ** 31, 2 ** 32 - 1]) : bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A table in a table, or a list in a list, so many levels deep. */
function nested(depth: number, type: string): Buffer {
  const name = type === "F" ? Buffer.of(1, 0x61) : Buffer.alloc(0);
  const step = name.length + 5;
  const bytes = Buffer.alloc(4 + 2 + 5 + depth * step);
  bytes.writeUInt32BE(bytes.length - 4);
  bytes.set([1, 0x61], 4);
  bytes.write(type, 6, "latin1");
  bytes.writeUInt32BE(depth * step, 7);
  for (let level = 0, at = 11; level < depth; level++, at += step) {
    bytes.set(name, at);
    bytes.write(type, at + name.length, "latin1");
    bytes.writeUInt32BE(bytes.length - at - step, at + name.length + 1);
  }
  return bytes;
}
