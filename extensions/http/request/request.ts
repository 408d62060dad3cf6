/**
 * The request as handlers get it.
 *
 * Making a `Request` costs more than most handlers do, and most look at no more than its URL or method. So it is
 * made when anything else is asked for. It is a `Request` all the same, to `instanceof`, `fetch` and `clone`:
 * what Deno keeps in a request it keeps under symbols, and each of them is an accessor here that leads to the
 * real one. The symbols are read from a sample, so a Deno with others is served as well.
 */
import type { Call } from "../../../runtime/service/call.ts";
import type { Payload } from "../../../runtime/service/entrypoint.ts";
import { decodeRequestHead, headerPairs, type RequestHead } from "./head.ts";

/** What the host half sent beside the body. */
export function headOf({ message }: Payload): RequestHead {
  return decodeRequestHead(message as string);
}

/** The request of a call; its signal is the call's. */
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
      ...(body !== undefined && { body }),
    });
  }
}
