import { dirname } from "node:path";
import { pause } from "../../../runtime/waiting/abort.ts";
import { FrameWriter, readFrames } from "../../local/frame.ts";
import type { ProcessPlace } from "../../process_place.ts";
import type { CommandIo, StopSignal } from "../command_io.ts";
import type { ReadyReport } from "../view/ready_report.ts";
import { preferNewestListener } from "./newest_listener.ts";
import { PROCESS_ORDER, type ProcessOrder } from "./process_order.ts";

/** Milliseconds in which clients leave the connections that they keep open, before a process stops. */
const LEAVE_TIME = 1_000;

/**
 * The side of a process that a supervisor has started. The process stops when the supervisor says so, on SIGTERM, and
 * when the supervisor has ended. SIGINT is for the supervisor: a terminal sends it to both.
 */
export class Supervised {
  readonly order: ProcessOrder;
  readonly place: ProcessPlace;
  readonly #connection: Deno.Conn;
  readonly #writer: FrameWriter;
  readonly #leaving = new AbortController();
  readonly #listeners = new Set<(signal: StopSignal) => void>();
  /** Whether the process is to stop. Who listens later is told at once. */
  #isStopping = false;

  constructor(order: ProcessOrder, connection: Deno.Conn) {
    this.order = order;
    const { index, isFirst, takesOver } = order;
    const leaving = this.#leaving.signal;
    this.place = { share: { index, isFirst, leaving }, ownShare: { index, isFirst: !takesOver, leaving } };
    this.#connection = connection;
    this.#writer = new FrameWriter(connection);
    Deno.addSignalListener("SIGINT", () => {});
    Deno.addSignalListener("SIGTERM", () => this.#stop());
    void this.#obey();
  }

  /**
   * Goes to the supervisor that has started this process.
   *
   * @param text What {@linkcode PROCESS_ORDER} says.
   */
  static async connect(text: string): Promise<Supervised> {
    // What this process starts is not the supervisor's.
    Deno.env.delete(PROCESS_ORDER);
    const order: ProcessOrder = JSON.parse(text);
    return new Supervised(order, await Deno.connect({ transport: "unix", path: order.socket }));
  }

  /** Tells the supervisor that the services answer calls. */
  ready(report: ReadyReport): void {
    preferNewestListener(this.order.processes);
    this.#writer.write(["ready", report]);
  }

  /** The surroundings of the command in this process. */
  io(io: CommandIo): CommandIo {
    return {
      ...io,
      colors: this.order.colors,
      onStop: (listener) => {
        this.#listeners.add(listener);
        if (this.#isStopping) listener("SIGTERM");
        return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
      },
    };
  }

  #stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#tell("SIGTERM");
  }

  #tell(signal: StopSignal): void {
    for (const listener of [...this.#listeners]) listener(signal);
  }

  /** Never rejects. */
  async #obey(): Promise<void> {
    try {
      await readFrames(this.#connection, ([command]) => {
        if (command === "stop") this.#stop();
        if (command === "leave") void this.#leave();
        // Of two different signals, the second aborts.
        if (command === "abort") this.#tell("SIGINT");
      });
    } catch {
      // The supervisor was killed.
    }
    // A supervisor that was killed has left its folder behind.
    if (!this.#isStopping) await Deno.remove(dirname(this.order.socket)).catch(() => {});
    this.#stop();
  }

  async #leave(): Promise<void> {
    this.#leaving.abort();
    await pause(LEAVE_TIME);
    this.#stop();
  }
}
