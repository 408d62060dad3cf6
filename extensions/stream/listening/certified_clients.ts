/**
 * Listeners that ask clients for certificates, which `Deno.listenTls` cannot do and `node:tls` can.
 *
 * The sockets of `node:tls` push what they read; here they are paused, so that a connection is read no faster
 * than its calls are done.
 */
import { createServer, type TLSSocket } from "node:tls";
import type { AddressInfo } from "node:net";
import type { SharedPortOptions } from "../../http/listening/shared_port.ts";
import type { Incoming, OpenListener } from "./incoming.ts";
import { formatEnd } from "./stream_address.ts";

/** Clients that have shown a certificate and wait to be taken. */
const MOST_WAITING = 128;

/**
 * Listens with TLS for clients whose certificates an authority has signed. Others are refused during the
 * handshake.
 */
export async function listenForCertified(
  { hostname, port, reusePort }: SharedPortOptions & {
    readonly hostname: string;
    readonly port: number;
  },
  pem: { readonly cert: string; readonly key: string; readonly ca: string },
): Promise<OpenListener> {
  const arrived: Incoming[] = [];
  let awaited: PromiseWithResolvers<Incoming> | undefined;
  let isClosed = false;
  const server = createServer({
    ...pem,
    requestCert: true,
    rejectUnauthorized: true,
    allowHalfOpen: true,
    handshakeTimeout: 10_000,
  }, (socket) => {
    socket.on("error", () => {});
    if (isClosed || arrived.length >= MOST_WAITING) return void socket.destroy();
    const incoming = new CertifiedClient(socket);
    if (awaited === undefined) arrived.push(incoming);
    else awaited.resolve(incoming);
    awaited = undefined;
  });
  server.on("tlsClientError", () => {});
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  // The types of Node do not know this option yet.
  const options = { port, host: hostname, reusePort: reusePort === true };
  server.listen(options, () => listening.resolve());
  try {
    await listening.promise;
  } catch (error) {
    // The errors of Node have codes in place of Deno's classes.
    if ((error as { readonly code?: string }).code !== "EADDRINUSE") throw error;
    throw new Deno.errors.AddrInUse((error as Error).message);
  }
  server.on("error", () => {});
  return {
    address: formatEnd("tls", addressOf(server.address() as AddressInfo)),
    accept() {
      const incoming = arrived.shift();
      if (incoming !== undefined) return Promise.resolve(incoming);
      awaited = Promise.withResolvers();
      return awaited.promise;
    },
    close() {
      isClosed = true;
      server.close();
      for (const incoming of arrived.splice(0)) incoming.close();
      awaited?.reject(new Deno.errors.BadResource("the listener is closed"));
      awaited = undefined;
    },
  };
}

/** A socket of `node:tls` in the form of a connection of Deno. */
class CertifiedClient implements Incoming {
  readonly remoteAddr: Deno.Addr;
  readonly localAddr: Deno.Addr;
  readonly #socket: TLSSocket;
  #wake: (() => void) | undefined;
  #failure: Error | undefined;
  #isEnded = false;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    this.remoteAddr = addressOf({ address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 });
    this.localAddr = addressOf({ address: socket.localAddress ?? "", port: socket.localPort ?? 0 });
    const wake = () => {
      this.#wake?.();
      this.#wake = undefined;
    };
    socket.on("readable", wake);
    socket.on("end", () => {
      this.#isEnded = true;
      wake();
    });
    socket.on("error", (error) => {
      this.#failure = error;
      wake();
    });
    socket.on("close", () => {
      if (!this.#isEnded) this.#failure ??= new Error("the connection was closed");
      wake();
    });
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (true) {
      if (this.#failure !== undefined) throw this.#failure;
      const available = this.#socket.readableLength;
      if (available > 0) {
        const chunk: Uint8Array | null = this.#socket.read(Math.min(available, into.length));
        if (chunk !== null) {
          into.set(chunk);
          return chunk.length;
        }
      }
      if (this.#isEnded) return null;
      // Asking for what is not there makes the socket read on.
      this.#socket.read(0);
      if (this.#socket.readableLength > 0) continue;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  async write(bytes: Uint8Array): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    return await promise;
  }

  async closeWrite(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.end(() => resolve());
    this.#socket.once("close", () => resolve());
    await promise;
  }

  close(): void {
    this.#socket.destroy();
  }
}

function addressOf({ address, port }: { readonly address: string; readonly port: number }): Deno.Addr {
  return { transport: "tcp", hostname: address, port };
}
