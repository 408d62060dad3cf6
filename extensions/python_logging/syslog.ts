import { createSocket, type Socket } from "node:dgram";
import type { LogLevel } from "../../runtime/log/log.ts";

/** Names of the facilities of syslog, with their numbers. */
export const FACILITIES: Readonly<Record<string, number>> = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  ...Object.fromEntries(Array.from({ length: 8 }, (_, number) => [`local${number}`, 16 + number])),
};

const SEVERITIES: Readonly<Record<LogLevel, number>> = { error: 3, warning: 4, info: 6, debug: 7 };

/** Sends lines to a syslog server by UDP. A line that does not arrive is lost, as with Python. */
export class Syslog implements Disposable {
  readonly #socket: Socket;
  readonly #host: string;
  readonly #port: number;
  readonly #facility: number;

  constructor(host: string, port: number, facility: number) {
    this.#host = host;
    this.#port = port;
    this.#facility = facility;
    this.#socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    this.#socket.on("error", () => {});
    this.#socket.unref();
  }

  send(line: string, level: LogLevel): void {
    // The end of a message is a zero byte, as Python's handler has it.
    const text = `<${this.#facility * 8 + SEVERITIES[level]}>${line}\0`;
    this.#socket.send(text, this.#port, this.#host, () => {});
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
