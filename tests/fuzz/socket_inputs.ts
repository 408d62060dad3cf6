/** What hostile clients send to the socket of an HTTP server: requests, and frames of WebSockets. */
import type { Random } from "./random.ts";

const MOST = 65_536;

/** Makes a request, or several, that break the protocol or use it as nobody does. */
export function hostileRequest(random: Random): Uint8Array {
  return random.pick([
    nearlyRequest,
    chunked,
    smuggled,
    manyHeaders,
    handshake,
    (random: Random) => random.bytes(MOST),
  ])(
    random,
  );
}

/** Makes frames of a client that has opened a WebSocket: of all kinds, whole, cut, or never ending. */
export function hostileFrames(random: Random): Uint8Array {
  const count = random.pick([1, 3, 200]);
  const parts: Uint8Array[] = [];
  for (let size = 0; parts.length < count && size < MOST; size += parts.at(-1)!.length) {
    parts.push(frame(random));
  }
  const bytes = joined(parts);
  return random.below(4) === 0 ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
}

function nearlyRequest(random: Random): Uint8Array {
  const isWhole = random.below(2) === 0;
  const text = (most: number) => isWhole ? encodeURIComponent(safe(random.text(most))) : random.text(most);
  const odd = <Value>(fine: Value, others: readonly Value[]) =>
    isWhole || random.below(2) === 0 ? fine : random.pick(others);
  const body = random.text(random.pick([100, MOST / 2]));
  const line = [
    random.pick(["GET", "POST", "HEAD", "OPTIONS", odd("PUT", ["CONNECT", "", random.text(20)])]),
    odd(`/${text(random.pick([20, 30_000]))}`, [
      "*",
      "http://a/",
      `http://${random.text(200)}`,
      "",
      "//",
      "/%",
    ]),
    odd("HTTP/1.1", ["HTTP/1.0", "HTTP/2.0", "HTTP/9", "", "ICY"]),
  ].join(odd(" ", ["\t", "  "]));
  const headers = [
    `Host: ${random.pick(["a", "a:1", "a/b", text(200), `${"a.".repeat(random.length(4_000))}a`])}`,
    `${random.pick(["Content-Type", "Cookie", "X-A", "traceparent", "Origin", "Accept"])}: ${text(8_000)}`,
    `Content-Length: ${odd<unknown>(encode(body).length, [0, 7, 50, -1, 1e20, "0x10", "+5", "5, 5"])}`,
  ];
  const next = () => isWhole ? "\r\n" : end(random);
  return encode(`${line}${next()}${headers.join(next())}\r\n\r\n${body}`);
}

/** A body in chunks of sizes that are wrong, huge, tiny or have extensions without end. */
function chunked(random: Random): Uint8Array {
  const chunk = () => {
    const data = random.text(200);
    const size = random.pick([
      data.length.toString(16),
      "ffffffffffffffff",
      "-1",
      "0",
      "1",
      "",
      random.text(20),
    ]);
    return `${size}${random.pick(["", ";a=b", `;${random.text(2_000)}`])}${end(random)}${data}${end(random)}`;
  };
  const chunks = Array.from({ length: random.length(300) }, chunk).join("");
  const tiny = "1\r\na\r\n".repeat(random.length(8_000));
  const trailers = `x-a: b\r\n`.repeat(random.length(1_000));
  return encode(
    `${head("POST /body", ["transfer-encoding: chunked"])}${random.pick([chunks, tiny])}0\r\n${trailers}\r\n`,
  );
}

/** A request inside another, for a server that does not see where the first one ends. */
function smuggled(random: Random): Uint8Array {
  const inner = head("GET /text", ["x-a: inner"]);
  const shapes = [
    ["content-length: 6", "transfer-encoding: chunked"],
    ["transfer-encoding: chunked", "transfer-encoding: identity"],
    ["transfer-encoding: xchunked"],
    ["transfer-encoding : chunked", `content-length: ${inner.length}`],
    ["transfer-encoding: \x0bchunked"],
    ["content-length: 0", `content-length: ${inner.length}`],
    [`content-length: ${inner.length}\n`, " folded"],
    ["connection: content-length", "content-length: 5"],
    ["expect: 100-continue", "content-length: 5"],
  ];
  const outer = head(random.pick(["POST /body", "GET /text"]), random.pick(shapes));
  return encode(`${outer}${random.pick(["0\r\n\r\n", "", "5\r\n"])}${inner.repeat(1 + random.length(50))}`);
}

function manyHeaders(random: Random): Uint8Array {
  const name = () =>
    random.pick(["cookie", "x-a", "__proto__", "constructor", "host", "accept-encoding", "traceparent"]);
  const headers = Array.from({ length: random.length(5_000) }, () => `${name()}: ${random.text(8)}`);
  return encode(head("GET /text", headers));
}

function handshake(random: Random): Uint8Array {
  return encode(head("GET /ws", [
    `upgrade: ${random.pick(["websocket", "WebSocket", "h2c", random.text(50)])}`,
    `connection: ${random.pick(["upgrade", "close", random.text(50)])}`,
    `sec-websocket-key: ${random.pick(["dGhlIHNhbXBsZSBub25jZQ==", random.text(2_000)])}`,
    `sec-websocket-version: ${random.pick(["13", "8", random.text(20)])}`,
    `sec-websocket-extensions: ${random.pick(["permessage-deflate", random.text(2_000)])}`,
  ]));
}

/** Codes of frames: text, binary, more of them, ping, pong, close, and those that mean nothing. */
const CODES = [1, 2, 0, 0, 9, 10, 8, 3, 7, 11, 15];

function frame(random: Random): Uint8Array {
  const isWhole = random.below(3) > 0;
  const payload = random.pick([
    () => random.bytes(2_000),
    () => encode(random.text(MOST / 2)),
    () => encode(JSON.stringify(random.json(4))),
    () =>
      encode(`{"method":"add","data":${JSON.stringify(random.json(4))},"correlation_id":${random.below(9)}}`),
    () => encode('{"method":"add","data":'.repeat(random.below(2_700))),
    () => encode(`{"method":"add","data":${"[".repeat(random.below(30_000))}`),
    () => new Uint8Array(),
  ])();
  const odd = <Value>(chance: number, fine: Value, other: () => Value) =>
    isWhole || random.below(chance) > 0 ? fine : other();
  const mask = odd<readonly number[] | undefined>(
    4,
    [random.below(256), 0, 0xff, random.below(256)],
    () => undefined,
  );
  const last = odd(2, 0x80, () => 0);
  const reserved = odd(4, 0, () => random.below(8) << 4);
  const stated = odd(4, payload.length, () => random.pick([0, 125, 65_535, 2 ** 31, 2 ** 53]));
  const code = odd(1, random.pick([1, 1, 1, 9]), () => random.pick(CODES));
  const masked = mask === undefined ? payload : payload.map((byte, index) => byte ^ mask[index % 4]!);
  return joined([
    Uint8Array.of(
      last | reserved | code,
      ...lengthOf(stated, mask !== undefined, isWhole, random),
      ...(mask ?? []),
    ),
    masked,
  ]);
}

/** The length of a frame, now and then in a longer form than it needs. */
function lengthOf(length: number, isMasked: boolean, isWhole: boolean, random: Random): number[] {
  const bit = isMasked ? 0x80 : 0;
  const form = !isWhole && random.below(5) === 0
    ? random.below(3)
    : length < 126
    ? 0
    : length < 65_536
    ? 1
    : 2;
  if (form === 0) return [bit | Math.min(length, 125)];
  if (form === 1) return [bit | 126, (length >> 8) & 255, length & 255];
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(length));
  return [bit | 127, ...new Uint8Array(view.buffer)];
}

function head(start: string, headers: readonly string[]): string {
  return [`${start} HTTP/1.1`, "host: a", ...headers].join("\r\n") + "\r\n\r\n";
}

function end(random: Random): string {
  return random.below(8) === 0 ? random.pick(["\n", "\r", "\r\r\n", "\0"]) : "\r\n";
}

/** Takes away halves of characters, which no URL can have. */
function safe(text: string): string {
  return text.replaceAll(/[\ud800-\udfff]/g, "");
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, { length }) => size + length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
