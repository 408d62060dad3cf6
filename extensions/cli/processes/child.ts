import { join } from "node:path";
import { within } from "../../../runtime/waiting/abort.ts";
import { FrameWriter, readFrames } from "../../local/frame.ts";
import type { ReadyReport } from "../view/ready_report.ts";
import {
  PROCESS_ORDER,
  type ProcessCommand,
  type ProcessOrder,
  type ProcessReport,
} from "./process_order.ts";
import { passLines } from "../../../runtime/log/output/whole_lines.ts";

/** Where the lines of a process go. */
export interface ProcessOutput {
  readonly stdout: (lines: string) => void;
  readonly stderr: (lines: string) => void;
}

/** What is started as a process. */
export interface ProcessProgram {
  readonly path: string;
  readonly args: readonly string[];
}

/** Milliseconds to wait for the last lines of a process: what it has started may hold its streams open. */
const OUTPUT_LIMIT = 1_000;

/** A process as its supervisor has it. */
export class Child {
  readonly index: number;
  /** Resolves when its services answer calls, or with undefined when the process ends before. */
  readonly ready: Promise<ReadyReport | undefined>;
  /** Resolves with its exit status when it has ended and all its lines have been passed on. Never rejects. */
  readonly ended: Promise<number>;
  readonly #process: Deno.ChildProcess;
  readonly #listener: Deno.Listener;
  readonly #ready = Promise.withResolvers<ReadyReport | undefined>();
  #writer: FrameWriter | undefined;
  /** Commands that wait for the process to connect. */
  #commands: ProcessCommand[] = [];
  #isReady = false;
  #hasEnded = false;

  /**
   * Starts a process.
   *
   * @param folder A folder of the supervisor's own, for the socket of the process.
   * @param order What the process is told.
   */
  constructor(
    { path, args }: ProcessProgram,
    folder: string,
    order: Omit<ProcessOrder, "socket">,
    output: ProcessOutput,
  ) {
    this.index = order.index;
    this.ready = this.#ready.promise;
    const socket = join(folder, `${crypto.randomUUID().slice(0, 8)}.sock`);
    this.#listener = Deno.listen({ transport: "unix", path: socket });
    this.#process = new Deno.Command(path, {
      args: [...args],
      env: { [PROCESS_ORDER]: JSON.stringify({ ...order, socket } satisfies ProcessOrder) },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    void this.#listen();
    this.ended = this.#run(output);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Whether its services answer calls. */
  get isServing(): boolean {
    return this.#isReady && !this.#hasEnded;
  }

  /** Tells it something, or tells it so as soon as it listens. */
  tell(command: ProcessCommand): void {
    if (this.#writer === undefined) this.#commands.push(command);
    else this.#writer.write([command]);
  }

  /** Ends it at once. */
  kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }

  async #listen(): Promise<void> {
    try {
      const connection = await this.#listener.accept();
      this.#listener.close(); // and the file is gone
      this.#writer = new FrameWriter(connection);
      for (const command of this.#commands) this.#writer.write([command]);
      await readFrames(connection, (header) => {
        const [, report] = header as unknown as ProcessReport;
        this.#isReady = true;
        this.#ready.resolve(report);
      });
      connection.close();
    } catch {
      // The process has ended.
    }
  }

  async #run({ stdout, stderr }: ProcessOutput): Promise<number> {
    const passed = Promise.allSettled([
      passLines(this.#process.stdout, stdout),
      passLines(this.#process.stderr, stderr),
    ]);
    const { code } = await this.#process.status;
    await within(OUTPUT_LIMIT, passed);
    this.#hasEnded = true;
    this.#ready.resolve(undefined);
    try {
      this.#listener.close();
    } catch {
      // It is closed since the process has connected.
    }
    return code;
  }
}
