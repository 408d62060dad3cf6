import { memory } from "../../../extensions/memory/mod.ts";
import { type Config, run, type Running, type RunOptions } from "../../../extensions/run.ts";
import { freePort } from "../../fixtures/free_port.ts";

/** The module of the service that these tests talk to. */
export const STREAM_SERVICE = new URL("./stream_service.ts", import.meta.url).pathname;

/** A service that is served, with the addresses of its streams by the keys of the configuration. */
export interface ServedStreams extends Running {
  readonly LINES: string;
  readonly BYTES: string;
  readonly FRAMES: string;
  readonly QUIET: string;
}

/** Serves the service of these tests at free ports. */
export async function serveStreams(
  config: Config = {},
  { threads, ...options }: RunOptions = {},
  modules: readonly string[] = [STREAM_SERVICE],
): Promise<ServedStreams> {
  const addresses = {
    LINES: `tcp://127.0.0.1:${freePort()}`,
    BYTES: `tcp://127.0.0.1:${freePort()}`,
    FRAMES: `tcp://127.0.0.1:${freePort()}`,
    QUIET: `tcp://127.0.0.1:${freePort()}`,
  };
  const all = { ...addresses, max_workers: 2, ...config };
  const running = await run(modules, {
    broker: memory(),
    config: all,
    ...options,
    threads: { kind: "node", permissions: "all", ...threads },
  });
  const { LINES, BYTES, FRAMES, QUIET } = all as unknown as ServedStreams;
  return Object.assign(running as Running, { LINES, BYTES, FRAMES, QUIET });
}

/** Milliseconds after which a test waits for nothing any more. */
const PATIENCE = 10_000;

const ENCODER = new TextEncoder();

/** A peer that writes and reads by hand. */
export class Peer implements Disposable {
  readonly #connection: Deno.Conn;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  static async connect(address: string): Promise<Peer> {
    if (address.startsWith("unix:")) {
      return new Peer(await Deno.connect({ transport: "unix", path: address.slice(5) }));
    }
    const { hostname, port } = new URL(address);
    return new Peer(await Deno.connect({ hostname, port: Number(port) }));
  }

  /** Connects to a stream of lines, and reads the line with which it greets. */
  static async greeted(address: string): Promise<Peer> {
    const peer = await Peer.connect(address);
    await peer.line();
    return peer;
  }

  async send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? ENCODER.encode(data) : data;
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  /** The next line; undefined at the end. */
  async line(): Promise<string | undefined> {
    while (true) {
      const end = this.#text.indexOf("\n");
      if (end !== -1) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      const chunk = await this.chunk();
      if (chunk === null) return undefined;
      this.#text += this.#decoder.decode(chunk, { stream: true });
    }
  }

  /** Sends a line, and reads one. */
  async ask(line: string): Promise<string | undefined> {
    await this.send(`${line}\n`);
    return await this.line();
  }

  /** The next line that begins in this way. */
  async lineWith(beginning: string): Promise<string> {
    while (true) {
      const line = await this.line();
      if (line === undefined) throw new Error(`the connection ended before a line with ${beginning}`);
      if (line.startsWith(beginning)) return line;
    }
  }

  /** The bytes until the end. */
  async rest(): Promise<Uint8Array> {
    const chunks: number[] = [];
    for (let chunk; (chunk = await this.chunk()) !== null;) for (const byte of chunk) chunks.push(byte);
    return new Uint8Array(chunks);
  }

  /** The next bytes; null at the end, a reset included. */
  async chunk(): Promise<Uint8Array | null> {
    const buffer = new Uint8Array(64 * 1024);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error("nothing came in time")), PATIENCE);
    });
    try {
      const length = await Promise.race([this.#connection.read(buffer), late]);
      return length === null ? null : buffer.subarray(0, length);
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset) return null;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Says that no more will come. */
  async finish(): Promise<void> {
    await this.#connection.closeWrite();
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // It is closed already.
    }
  }
}
