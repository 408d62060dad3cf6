/**
 * The request in the form that handlers receive.
 *
 * Making a `Request` costs more than the work of most handlers, and most handlers read only its URL or
 * method. So this file makes the real `Request` only when a handler asks for anything else. The handler's
 * object is still a `Request` for `instanceof`, `fetch` and `clone`: Deno keeps the state of a request under
 * symbols, and here each of these symbols is an accessor that leads to the real request. The symbols are read
 * from a sample request, so a Deno version with other symbols works as well.
 */
import type { Call } from "../../../runtime/service/call.ts";
import type { Payload } from "../../../runtime/service/entrypoint.ts";
import { headerPairs, type RequestHead } from "./head.ts";

/** Makes the request of a call. Its signal is the signal of the call. */
export function toRequest(payload: Payload, head: RequestHead, call: Call): Request {
  return new LazyRequest(payload, head, call) as unknown as Request;
}

class LazyRequest {
  readonly #payload: Payload;
  readonly #head: RequestHead;
  readonly #call: Call;
  #request: Request | undefined;

  constructor(payload: Payload, head: RequestHead, call: Call) {
    this.#payload = payload;
    this.#head = head;
    this.#call = call;
  }

  get url(): string {
    return this.#head.url;
  }

  get method(): string {
    return this.#head.method;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  static {
    Object.setPrototypeOf(this.prototype, Request.prototype);
    for (const key of Reflect.ownKeys(new Request("http://localhost/"))) {
      Object.defineProperty(this.prototype, key, {
        get(this: LazyRequest) {
          return Reflect.get(this.#real, key);
        },
        set(this: LazyRequest, value: unknown) {
          Reflect.set(this.#real, key, value);
        },
      });
    }
  }

  get #real(): Request {
    if (this.#request !== undefined) return this.#request;
    const { url, method, headers } = this.#head;
    const { body } = this.#payload;
    return this.#request = new Request(url, {
      method,
      headers: headerPairs(headers),
      signal: this.#call.signal,
      ...(body !== undefined && { body: readableBody(body) }),
    });
  }
}

/** Deno leaves a byte order mark out when it reads bytes, but not when it reads text that was never bytes. */
function readableBody<Body>(body: Body): Body | Uint8Array<ArrayBuffer> {
  return typeof body === "string" && body.startsWith("\ufeff") ? new TextEncoder().encode(body) : body;
}
