/**
 * Fetches one module over http or https.
 *
 * This code follows redirects itself, and does not leave that to `fetch`, for two reasons: the rules for
 * origins must allow each hop, and the headers for one host must never reach another host. It therefore looks
 * up the headers anew for every hop.
 */
import { timeLimit } from "../../waiting/abort.ts";
import { ServiceLoadError } from "../../message/errors.ts";
import type { ModuleOrigins } from "./origins.ts";
import { type ModuleContent, NoModuleError, sha256Of } from "./source.ts";
import { maskUrl } from "../../log/secrets.ts";

/** Options of {@linkcode downloadModule}. */
export interface DownloadModuleOptions {
  /** Rules that must allow every hop. */
  readonly origins: ModuleOrigins;
  /** Headers by host; the host has its port if that is not the default port of the protocol. */
  readonly headers: ModuleHeaders;
  /** Milliseconds that the fetch may take, redirects included. */
  readonly timeout: number;
  /** Bytes that the module may have. */
  readonly maxBytes: number;
  /** @default {the client that every `fetch` uses} */
  readonly client?: Deno.HttpClient | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Headers to send, by host. */
export type ModuleHeaders = Readonly<Record<string, Readonly<Record<string, string>>>>;

const MAX_REDIRECTS = 10;
const NOTHING: readonly number[] = [404, 410];
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/**
 * Fetches a module's bytes.
 *
 * @param url URL that the rules for origins have already allowed.
 * @throws {NoModuleError} If no module is there: the status is 404 or 410, or the connection fails for
 *   another reason than a certificate.
 * @throws {ServiceLoadError} If the bytes do not arrive in time, are too many, or come without a success
 *   status.
 * @throws {unknown} The signal's reason once the signal aborts.
 */
export async function downloadModule(url: URL, options: DownloadModuleOptions): Promise<ModuleContent> {
  const { timeout, signal } = options;
  using limit = timeLimit(timeout, signal);
  const trail = [url];
  try {
    const response = await follow(trail, { ...options, signal: limit.signal });
    const bytes = await readBody(response, trail, options.maxBytes);
    const contentType = response.headers.get("content-type") ?? undefined;
    return { url: trail.at(-1)!.href, contentType, bytes, sha256: await sha256Of(bytes) };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ServiceLoadError) throw error;
    if (limit.signal.aborted) {
      throw failure(trail, `it did not arrive within ${timeout} ms. Try again, or raise modules.timeout`);
    }
    const state = connectionState(error);
    throw failure(trail, state, /certificate/i.test(state) ? ServiceLoadError : NoModuleError);
  }
}

/** Fetches until the answer is not a redirect. Adds each hop to `trail`. */
async function follow(
  trail: URL[],
  { origins, headers, client, signal }: DownloadModuleOptions,
): Promise<Response> {
  while (true) {
    const url = trail.at(-1)!;
    const response = await fetch(url, {
      redirect: "manual",
      headers: headers[url.host] ?? {},
      ...(client && { client }),
      ...(signal && { signal }),
    });
    if (response.ok) return response;
    await response.body?.cancel();
    const location = response.headers.get("location");
    if (!REDIRECTS.includes(response.status) || location === null) {
      const state = statusState(response.status);
      throw failure(trail, state, NOTHING.includes(response.status) ? NoModuleError : ServiceLoadError);
    }
    if (!URL.canParse(location, url)) throw failure(trail, "it redirects to something that is not a URL");
    const next = new URL(location, url);
    next.hash = "";
    if (next.protocol !== "http:" && next.protocol !== "https:") {
      throw failure(trail, `it redirects to ${maskUrl(next)}, which is not http or https`);
    }
    if (trail.length > MAX_REDIRECTS) {
      throw failure(trail, `there are more than ${MAX_REDIRECTS} redirects. Name the URL that they lead to`);
    }
    origins.check(next, url.href);
    trail.push(next);
  }
}

async function readBody(
  response: Response,
  trail: readonly URL[],
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > maxBytes) {
      throw failure(trail, `it has more than ${maxBytes} bytes. Raise modules.max_size if that is right`);
    }
    parts.push(part);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function statusState(status: number): string {
  const state = `the origin answered with status ${status}`;
  if (status === 401 || status === 403) {
    return `${state}. Set the header that it wants under modules.headers for its host`;
  }
  return status >= 500 ? `${state}. Try again later` : `${state}. Check the URL`;
}

/** Describes why a connection failed. Deno gives the reason behind the URL, after the stage that failed. */
function connectionState(error: unknown): string {
  const { cause, message } = error as Error;
  const text = cause instanceof Error ? cause.message : message;
  if (/connection refused/i.test(text)) {
    return "connection refused. Check the URL and that its server is running";
  }
  if (/dns error/.test(text)) return "its host cannot be found. Check the URL and the network";
  const url = text.indexOf("for url (");
  const end = url === -1 ? -1 : text.indexOf("): ", url);
  const reason = (end === -1 ? text : text.slice(end + "): ".length)).replace(
    /^client error \([^)]*\): /,
    "",
  );
  if (/certificate/i.test(reason)) {
    return `its server is not trusted: ${reason}. Name the authority's certificate with modules.ca_certs`;
  }
  return `the connection failed: ${reason}`;
}

function failure(
  trail: readonly URL[],
  state: string,
  Failure: typeof ServiceLoadError = ServiceLoadError,
): ServiceLoadError {
  const [first, ...hops] = trail;
  const last = hops.at(-1);
  const name = last === undefined ? maskUrl(first!) : `${maskUrl(first!)}, redirected to ${maskUrl(last)}`;
  return new Failure(`Cannot load module ${name}: ${state}`);
}
