import { createServer } from "node:net";
import { memory } from "../../../extensions/memory/mod.ts";
import { type Config, run, type Running, type RunOptions } from "../../../extensions/run.ts";

/** The module of services that these tests ask. */
export const WEB_SERVICE = new URL("./web_service.ts", import.meta.url).pathname;

/** The module whose handlers and streams behave as few do. */
export const ODD_SERVICE = new URL("./odd_service.ts", import.meta.url).pathname;

/** The module whose rules match in more than one spelling. */
export const PATH_SERVICE = new URL("./path_service.ts", import.meta.url).pathname;

/** Serves modules at a free port; `http` is the URL. */
export async function serveHttp(
  modules: readonly string[] = [WEB_SERVICE],
  config: Config = {},
  options: RunOptions = {},
): Promise<Running & { readonly http: string }> {
  const running = await run(modules, {
    broker: memory(),
    config: { WEB_SERVER_ADDRESS: "127.0.0.1:0", max_workers: 2, ...config },
    ...options,
    threads: { kind: "node", permissions: "all", ...options.threads },
  });
  return running as Running & { readonly http: string };
}

/** A connection that sends what it is told to and reads no more than it is told to. */
export async function connectTo(url: string): Promise<Deno.TcpConn> {
  const { hostname, port } = new URL(url);
  return await Deno.connect({ hostname, port: Number(port) });
}

/** Sends a request as text. */
export async function send(connection: Deno.Conn, text: string): Promise<void> {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(await connection.write(rest));
}

/** Reads until `end` was read, or the connection ends. */
export async function readUntil(connection: Deno.Conn, end: string): Promise<string> {
  const buffer = new Uint8Array(65_536);
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes(end)) {
    const count = await connection.read(buffer);
    if (count === null) break;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return text;
}

/** What the handlers of the module have noted, in the order of time. */
export async function notesOf(url: string): Promise<readonly string[]> {
  return await (await fetch(`${url}/notes`)).json();
}

/** Waits until a handler has noted something. */
export async function noted(url: string, note: string): Promise<void> {
  while (!(await notesOf(url)).includes(note));
}

/** A port that something else listens on. */
export async function takenPort(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { readonly port: number }).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
