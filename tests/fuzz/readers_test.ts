/** Inputs for everything that the main thread reads: from the network, the broker, the threads and the operator. */
import { deepStrictEqual, match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { decodeFields, encodeTable } from "../../extensions/amqp/field_table.ts";
import { parseBrokerUri } from "../../extensions/amqp/uri.ts";
import { parseCallArguments, parseCallTarget } from "../../extensions/cli/flags/call_arguments.ts";
import { AnswerReader } from "../../extensions/control/answer.ts";
import { readRequest } from "../../extensions/control/request.ts";
import { readManifests, readStatus } from "../../extensions/control/status.ts";
import { parseListenAddress } from "../../extensions/http/listening/listen_address.ts";
import { AllowedHosts } from "../../extensions/http/request/allowed_hosts.ts";
import { traceparentOf } from "../../extensions/http/request/trace_context.ts";
import { pathOf, UrlCheck } from "../../extensions/http/request/url.ts";
import { Router } from "../../extensions/http/routing/router.ts";
import { parseRule } from "../../extensions/http/routing/rule.ts";
import { unpackFields } from "../../extensions/local/opaque_fields.ts";
import { readFrame } from "../../extensions/messaging/frame.ts";
import { requestOf } from "../../extensions/messaging/requester_host.ts";
import { decodeRequest, decodeResponse } from "../../extensions/rpc/wire.ts";
import { createReader } from "../../extensions/stream/framing/create_reader.ts";
import { type Framing, OversizedFrame } from "../../extensions/stream/framing/frame.ts";
import { parseStreamAddress } from "../../extensions/stream/listening/stream_address.ts";
import { decodeArguments, decodeEnvelope } from "../../extensions/websocket/wire.ts";
import { FROM_THREAD, TO_THREAD } from "../../runtime/channel/port_codec.ts";
import type { RingCodec } from "../../runtime/channel/ring_port.ts";
import { RingRecord } from "../../runtime/channel/ring_record.ts";
import { createRing, RingReader } from "../../runtime/channel/shared_ring.ts";
import { parseConfigYaml } from "../../runtime/config/yaml.ts";
import { createLog, type LogRecord } from "../../runtime/log/log.ts";
import { formatJsonLine, formatPrettyLine } from "../../runtime/log/log_line.ts";
import { maskSecrets, maskTextSecrets } from "../../runtime/log/secrets.ts";
import { decodeCallHeaders } from "../../runtime/message/call_headers.ts";
import { decodeJson, encodeJson } from "../../runtime/message/codec.ts";
import { toErrorObject } from "../../runtime/message/error_object.ts";
import { describeFailure, failureToError } from "../../runtime/message/failure.ts";
import { decompressBzip2 } from "../../runtime/message/payload/bzip2.ts";
import { compress, decompress } from "../../runtime/message/payload/compression.ts";
import { decodeExactJson } from "../../runtime/message/payload/exact_json.ts";
import { transportableBody } from "../../runtime/message/payload/transportable_body.ts";
import type { Delivery, FieldTable } from "../../runtime/message/transport.ts";
import { formatLockFile, parseLockFile } from "../../runtime/module/fetch/lock_file.ts";
import { parseModuleSpecifier } from "../../runtime/module/specifier.ts";
import { fuzz, INPUTS, SEED, type Target } from "./fuzzing.ts";
import { Random } from "./random.ts";

const MOST = 65_536;

const router = new Router<string>();
for (const rule of ["/", "/a/<int:id>", "/a/<path:rest>", "/:x/b", "/<any(a,b):c>/<uuid:d>", "/<float:f>"]) {
  router.add("GET", parseRule(rule), rule, String);
}

const urls = new UrlCheck(new AllowedHosts([".example.org", "[::1]:80"]));

const ENV = { get: () => undefined };

/** Changes a few places of a text that has the right form. */
function damaged(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  switch (random.below(4)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + random.text(20) + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(at + 1 + random.below(5));
    default:
      return text;
  }
}

const DELIVERY: Delivery = {
  exchange: "enoki.control",
  routingKey: "",
  body: new Uint8Array(),
  properties: { replyTo: `enoki.control.reply-${crypto.randomUUID()}`, correlationId: "1" },
  redelivered: false,
  signal: new AbortController().signal,
};

function controlRequest(random: Random): string {
  if (random.below(2) === 0) return envelope(random);
  return damaged(
    random,
    JSON.stringify({ ask: "status", services: random.json(3), instances: [random.text(9)] }),
  );
}

function readAnswers(random: Random): void {
  const reader = new AnswerReader();
  for (let left = random.below(10); left > 0; left--) {
    const body = random.below(2) === 0
      ? random.bytes(MOST)
      : new TextEncoder().encode(`{"answer":{"services":${JSON.stringify(random.json(5))}}}`);
    const [instance, sequence, piece, pieces] = [random.pick(["a", random.text(9)]), 0, 0, 1]
      .map((right) => random.below(4) === 0 ? random.json(2) : right);
    const answer = reader.read({
      ...DELIVERY,
      body,
      properties: {
        headers: {
          "x-enoki-instance": instance,
          "x-enoki-sequence": sequence,
          "x-enoki-piece": piece,
          "x-enoki-pieces": pieces,
        } as FieldTable,
      },
    });
    if (answer === undefined) continue;
    readStatus(answer);
    readManifests(answer);
  }
}

function envelope(random: Random): string {
  return random.below(2) === 0 ? random.text(MOST) : damaged(random, JSON.stringify(random.json(5)));
}

/** JSON with long runs of digits, in numbers and in texts. */
function numbers(random: Random): string {
  const digits = () => Array.from({ length: random.below(24) + 1 }, () => random.below(10)).join("");
  const item = () =>
    random.pick(
      [
        digits(),
        `-1${digits()}`,
        `0.${digits()}`,
        `1${digits()}e${random.below(9)}`,
        `"${digits()}"`,
        "NaN",
        " ",
      ],
    );
  return damaged(random, `{"a":[${Array.from({ length: random.below(200) }, item).join(",")}]}`);
}

/** What is read keeps every digit: it is a bigint, or is refused, or JavaScript writes it as it was. */
function readExactly(text: string): void {
  const exact = decodeExactJson(text, true);
  let plain: unknown;
  try {
    plain = decodeExactJson(text, false);
  } catch (error) {
    if (error instanceof RangeError) return;
    throw error;
  }
  deepStrictEqual(JSON.stringify(toNumbers(exact)), JSON.stringify(plain));
}

function toNumbers(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(toNumbers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toNumbers(each)]));
}

/** Nearly the headers of a frame of `local:`. */
function fields(random: Random): string {
  const mark = random.pick(["\\u0000date", "\\u0000bytes", "a"]);
  return damaged(
    random,
    `{"a":{"${mark}":${JSON.stringify(random.json(3))}},"b":[{"${mark}":${random.below(9)}e18}]}`,
  );
}

function compressed(random: Random): Uint8Array<ArrayBuffer> {
  const { body } = compress(random.bytes(MOST));
  for (let changes = random.below(3); changes > 0; changes--) {
    body[random.below(body.length)] = random.below(256);
  }
  return random.below(2) === 0 ? body : body.slice(0, random.below(body.length + 1));
}

/** Nearly what a requester asks the main thread to send: facts about a request on a line, then its body. */
function question(random: Random): string {
  const odd = <Value>(value: Value) => random.below(8) === 0 ? random.json(2) : value;
  const facts = {
    routingKey: odd(random.text(300)),
    timeout: odd(random.below(1_000)),
    contentType: odd("text/plain"),
    contentEncoding: odd("utf-8"),
    priority: odd(random.below(300)),
    deliveryMode: odd(random.below(4)),
    headers: random.below(2) === 0 ? { "nameko.a": random.text(20) } : random.json(4),
  };
  return damaged(random, `${JSON.stringify(facts)}\n${random.text(MOST)}`);
}

/** Nearly a lock file: entries of all forms under keys of all kinds, now and then nested deep or cut. */
function lockFile(random: Random): string {
  const valid = () =>
    random.pick(["0".repeat(64), { sha256: "f".repeat(64), type: "ts", charset: "utf-8" }] as const);
  const odd = () =>
    random.pick([
      () => ({
        sha256: "f".repeat(64),
        type: random.pick(["js", "toString", random.json(1)]),
        charset: "utf-8",
      }),
      () => random.json(3),
      () => "f".repeat(random.length(200)),
    ])();
  const isOdd = random.below(2) === 0;
  const value = () => isOdd && random.below(4) === 0 ? odd() : valid();
  const key = () => random.pick(["__proto__", "constructor", "https://a.example/", random.text(200)]);
  const entries = Array.from({ length: random.length(200) }, () => [key(), value()] as const);
  // Object.fromEntries() makes a field of "__proto__", which JSON.parse() does, too.
  const text = JSON.stringify(random.pick([
    { version: random.pick([1, 2, "1", 3, null]), remote: Object.fromEntries(entries) },
    { version: 1, remote: random.json(3) },
    random.json(4),
  ]));
  if (random.below(8) > 0) return damaged(random, text);
  const depth = random.length(MOST / 2);
  const nest = random.pick([["[", "]"], ['{"remote":', "}"], ['{"version":1,"remote":{"a":', "}}"]] as const);
  const times = Math.floor(depth / nest[0].length);
  return nest[0].repeat(times) + "1" + nest[1].repeat(times);
}

/** Reads a lock file, and writes it as the next start would. */
function readLockFile(text: string): void {
  const modules = parseLockFile(text);
  if (modules !== undefined) formatLockFile(modules);
}

function record(random: Random): LogRecord {
  const records: LogRecord[] = [];
  const log = createLog({ emit: (record) => records.push(record), service: random.text(20) });
  log.error(random.text(MOST), { [random.text(20)]: random.json(4), error: random.json(2) });
  return records[0]!;
}

/** A reader of texts, or of texts that are nearly envelopes. */
function reader(
  name: string,
  read: (text: string) => unknown,
  make = (random: Random) => random.text(MOST),
): Target {
  return { name, feed: (random) => read(make(random)), read };
}

/** Fills the memory of a ring with anything, and reads it as a thread that has gone mad would have written it. */
function readRing<Message>(random: Random, { shape, decode }: RingCodec<Message>): void {
  const memory = createRing(1_024);
  const bytes = new Uint8Array(memory);
  const words = new Int32Array(memory);
  bytes.set(random.bytes(bytes.length));
  for (let changes = random.below(20); changes > 0; changes--) {
    words[random.below(words.length)] = random.below(80) - 2;
  }
  const reader = new RingReader(memory);
  const record = new RingRecord(shape);
  for (let records = 0; records < 10 && reader.nextNumber !== undefined; records++) {
    reader.take(record);
    decode(record);
    record.requireEnd();
  }
}

/** Feeds bytes in chunks of any size to a reader of frames. */
function readFrames(random: Random, framing: Framing): void {
  const encoding = random.pick(["utf-8", "latin1"] as const);
  const format = { framing, encoding, lineEnd: "\n", prefix: 2 } as const;
  const frames = createReader(format, { maxLine: 1_000, maxFrame: 1_000 });
  const bytes = random.bytes(MOST);
  try {
    for (let at = 0; at < bytes.length;) {
      const size = 1 + random.below(2_000);
      frames.push(bytes.subarray(at, at += size));
      while (random.below(5) > 0 && frames.next() !== undefined);
    }
  } catch (error) {
    if (!(error instanceof OversizedFrame)) throw error;
  }
}

function logged(text: string): LogRecord {
  return { level: "error", message: text, service: "s", time: 0, properties: { [text.slice(0, 100)]: text } };
}

fuzz([
  reader("decodeRequest()", (text) => decodeRequest(text), envelope),
  reader("decodeResponse()", (text) => decodeResponse(text, "s"), envelope),
  reader("readFrame()", readFrame),
  reader("requestOf()", (text) => requestOf(readFrame(text), "exchange"), question),
  reader("decodeEnvelope()", decodeEnvelope, envelope),
  reader("decodeArguments()", (text) => decodeArguments("m", text), envelope),
  reader("decodeJson()", (text) => decodeJson(text), envelope),
  reader("decodeExactJson()", readExactly, numbers),
  reader("unpackFields()", (text) => unpackFields({ headers: JSON.parse(text) }), fields),
  { name: "decompress()", feed: (random) => decompress(compressed(random), "application/x-gzip", MOST) },
  reader("parseLockFile()", readLockFile, lockFile),
  { name: "TO_THREAD", feed: (random) => readRing(random, TO_THREAD) },
  { name: "FROM_THREAD", feed: (random) => readRing(random, FROM_THREAD) },
  reader("maskTextSecrets()", maskTextSecrets),
  reader("formatPrettyLine()", (text) => formatPrettyLine(logged(text), true)),
  reader("formatJsonLine()", (text) => formatJsonLine(logged(text))),
  reader("Router.find()", (text) => router.find("GET", `/${text}`)),
  reader("UrlCheck.check()", (text) => urls.check(`http://${text}`, text)),
  reader("pathOf()", (text) => pathOf(`http://${text}`)),
  reader("traceparentOf()", (text) => traceparentOf(["traceparent", text])),
  reader("parseListenAddress()", parseListenAddress),
  reader("parseStreamAddress()", (text) => parseStreamAddress(`tcp://${text}`)),
  ...(["lines", "bytes", "length-prefixed"] as const).map((framing) => ({
    name: `a reader of ${framing}`,
    feed: (random: Random) => readFrames(random, framing),
  })),
  reader("parseBrokerUri()", (text) => parseBrokerUri(`amqp://${text}`)),
  reader("parseCallTarget()", parseCallTarget),
  reader("parseCallArguments()", (text) => parseCallArguments([text])),
  reader("transportableBody()", (text) => transportableBody(new Uint8Array(9), text, false)),
  { name: "parseRule()", feed: (random) => parseRule(`/${random.text(200)}`) },
  { name: "parseModuleSpecifier()", feed: (random) => parseModuleSpecifier(random.text(2_000), "/tmp") },
  { name: "encodeJson()", feed: (random) => encodeJson(random.json(6)) },
  {
    name: "readRequest() of the control channel",
    feed: (random) => readRequest({ ...DELIVERY, body: new TextEncoder().encode(controlRequest(random)) }),
  },
  { name: "AnswerReader.read() and what reads its answers", feed: readAnswers },
  { name: "decodeCallHeaders()", feed: (random) => decodeCallHeaders(random.json(4) as FieldTable) },
  { name: "decodeFields()", feed: (random) => decodeFields(Buffer.from(random.bytes(MOST))) },
  {
    name: "encodeTable()",
    feed: (random) => encodeTable(Buffer.alloc(4_096), random.json(5) as FieldTable, 0),
  },
  {
    name: "transportableBody() of bytes",
    feed: (random) => transportableBody(random.bytes(MOST), "text/plain", false),
  },
  { name: "toErrorObject()", feed: (random) => toErrorObject(describeFailure(random.json(4)), "s") },
  { name: "failureToError()", feed: (random) => failureToError(describeFailure(random.json(4))) },
  { name: "maskSecrets()", feed: (random) => maskSecrets(random.json(6)) },
  { name: "createLog()", feed: (random) => formatJsonLine(record(random)) },
  {
    name: "parseConfigYaml()",
    feed: (random) => parseConfigYaml(random.text(4_000), { action: "Cannot read it", env: ENV }),
  },
]);

/** Written by Python: `bz2.compress(b'{"a":[1,"gr\xc3\xbc\xc3\x9fe"]}')`. */
const BZIP2 = Uint8Array.from(
  atob("QlpoOTFBWSZTWei8HSMAAAabrBAEIBAACiKAEAoAAIAECAAgADFMAAETTTNRiekCeOICpazdFCcF3JFOFCQ6LwdIwA=="),
  (character) => character.charCodeAt(0),
);

Deno.test("decompressBzip2() takes or refuses whatever comes, in bounded time", async () => {
  const random = new Random(SEED);
  for (let left = Math.ceil(INPUTS / 40); left > 0; left--) {
    const bytes = random.below(4) === 0 ? random.bytes(2_000) : BZIP2.slice();
    for (let changes = 1 + random.below(4); changes > 0; changes--) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
    const start = performance.now();
    try {
      ok((await decompressBzip2(bytes, MOST)).length <= MOST);
    } catch (error) {
      ok(error instanceof Error);
      match(error.message, /^(?:Not bzip|Data error|Obsolete|Bad|its |it |a block|Unexpected|Out of)/);
    }
    ok(performance.now() - start < 5_000);
  }
});
