import { pause } from "../../../runtime/waiting/abort.ts";
import type { IncomingRequest } from "../request_handler.ts";
import { BodyPieces } from "./body_pieces.ts";
import type { SlowClients, Wait } from "../clients/slow_clients.ts";

/** The bytes of a body; undefined if the request has none; or the reason why the server has not read them. */
export type RequestBody = Uint8Array<ArrayBuffer> | undefined | "too large" | "incomplete" | "stalled";

/** Bytes: a body whose stated length is at most this must arrive as a whole within the stall timeout. */
const SHORT_BODY = 65_536;

/**
 * Bytes: a smaller piece counts as small. Small pieces cost Deno far more than their bytes, and while they are here
 * already, reading them leaves no time for anybody else.
 */
const SMALL = 1_024;

/** Small pieces after which we look at the clock. */
const LOOK_EVERY = 64;

/** Milliseconds that small pieces of one body may take in one go, and how long others then have their turn. */
const TURN = 5;
const REST = 10;

/**
 * Reads the body of a request; never rejects.
 *
 * Gives `"too large"` as soon as the body is known to have more than `limit` bytes, and does not read the
 * rest. Gives undefined for `GET` and `HEAD`: a body has no meaning there, and a `Request` cannot have one.
 *
 * @param length The header `content-length`.
 * @param limit Bytes that the body may have.
 */
export function readRequestBody(
  { request, method }: Pick<IncomingRequest, "request" | "method">,
  length: string | undefined,
  limit: number,
  clients: SlowClients,
): RequestBody | Promise<RequestBody> {
  if (method === "GET" || method === "HEAD") return undefined;
  if (length !== undefined) {
    const bytes = Number(length);
    if (bytes > limit) return "too large";
    if (bytes <= SHORT_BODY) return readShort(request, clients);
  }
  return request.body === null ? undefined : collect(request.body.getReader(), limit, clients);
}

function readShort(request: Request, clients: SlowClients): Promise<RequestBody> {
  return new Promise((resolve) => {
    const wait = clients.prepare(() => resolve("stalled"));
    const end = (body: RequestBody) => {
      clients.release(wait);
      resolve(body);
    };
    request.bytes().then(end, () => end("incomplete"));
    clients.hold(wait, 0);
  });
}

async function collect(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  limit: number,
  clients: SlowClients,
): Promise<RequestBody> {
  const pieces = new BodyPieces();
  let stalled = false;
  let small = 0;
  let since = performance.now();
  const wait: Wait = clients.prepare(() => {
    stalled = true;
    pieces.clear();
    void reader.cancel().catch(() => {});
  });
  try {
    for (;;) {
      clients.hold(wait, pieces.size);
      const { done, value } = await reader.read();
      if (stalled) return "stalled";
      if (done) break;
      if (pieces.size + value.length > limit) return "too large";
      pieces.add(value);
      if (value.length >= SMALL || ++small % LOOK_EVERY !== 0) continue;
      if (performance.now() - since < TURN) continue;
      await pause(REST);
      if (stalled) return "stalled";
      since = performance.now();
    }
  } catch {
    return stalled ? "stalled" : "incomplete";
  } finally {
    clients.release(wait);
  }
  return pieces.join();
}
