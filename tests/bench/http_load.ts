/** A client that does as little as it can: requests of fixed bytes over connections that stay open. */
import { type Measurement, measurementOf } from "./load.ts";

/** What is asked, again and again. */
export interface HttpCase {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** Requests a second and how long they took, with one request at a time on each of `connections` for `duration` milliseconds. */
export async function httpLoad(
  port: number,
  asked: HttpCase,
  connections: number,
  duration: number,
): Promise<Measurement> {
  const start = performance.now();
  const request = ENCODER.encode(requestText(asked));
  const latencies = await Promise.all(
    Array.from({ length: connections }, () => ask(port, request, start + duration)),
  );
  return measurementOf(latencies.flat(), performance.now() - start);
}

function requestText({ method, path, body }: HttpCase): string {
  const content = body === undefined
    ? ""
    : `content-type: application/json\r\ncontent-length: ${body.length}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${content}\r\n${body ?? ""}`;
}

/** The milliseconds that each of the requests took. */
async function ask(port: number, request: Uint8Array, end: number): Promise<number[]> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay();
  const buffer = new Uint8Array(16_384);
  const latencies: number[] = [];
  for (let before = performance.now(); before < end;) {
    await connection.write(request);
    for (let length = 0, whole = Infinity; length < whole;) {
      const read = await connection.read(buffer.subarray(length));
      if (read === null) throw new Error("the server closed the connection");
      length += read;
      if (whole === Infinity) whole = responseLength(DECODER.decode(buffer.subarray(0, length)));
    }
    const after = performance.now();
    latencies.push(after - before);
    before = after;
  }
  return latencies;
}

/** Bytes of a response whose head is there; infinity until then. */
function responseLength(text: string): number {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return Infinity;
  if (!text.startsWith("HTTP/1.1 200")) {
    throw new Error(`the server answered ${text.slice(0, text.indexOf("\r\n"))}`);
  }
  return end + 4 + Number(/content-length: (\d+)/i.exec(text)![1]);
}
