import type { SlowClients, Wait } from "../clients/slow_clients.ts";

/** The bytes of a body; undefined if the request has none; or the reason why the server has not read them. */
export type RequestBody = Uint8Array<ArrayBuffer> | undefined | "too large" | "incomplete" | "stalled";

/** Bytes: a body whose stated length is at most this must arrive as a whole within the stall timeout. */
const SHORT_BODY = 65_536;

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
  request: Request,
  length: string | undefined,
  limit: number,
  clients: SlowClients,
): RequestBody | Promise<RequestBody> {
  if (request.method === "GET" || request.method === "HEAD") return undefined;
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
  const chunks: Uint8Array[] = [];
  let size = 0;
  let stalled = false;
  const wait: Wait = clients.prepare(() => {
    stalled = true;
    chunks.length = 0;
    void reader.cancel().catch(() => {});
  });
  try {
    for (;;) {
      clients.hold(wait, size);
      const { done, value } = await reader.read();
      if (stalled) return "stalled";
      if (done) break;
      size += value.length;
      if (size > limit) return "too large";
      chunks.push(value);
    }
  } catch {
    return stalled ? "stalled" : "incomplete";
  } finally {
    clients.release(wait);
  }
  const body = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.length;
  }
  return body;
}
