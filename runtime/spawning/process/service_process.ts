/**
 * One process of a service, as the main thread has it.
 *
 * The main thread listens at a socket of its own for one connection, which must begin with the token of the process.
 * After that, nobody can connect any more. Then the threads of the process and the main thread send each other frames.
 */
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { FrameKind, FrameWriter, readFrames } from "../../channel/frames/frame_stream.ts";
import { passLines } from "../../log/output/whole_lines.ts";
import { given } from "../../message/plain.ts";
import { pause, within } from "../../waiting/abort.ts";
import { KILL_LIMIT, type Thread, type ThreadOptions } from "../spawner.ts";
import { knownConnection } from "./known_connection.ts";
import { watchLimits } from "./limit_watch.ts";
import type { ProcessCommand } from "./process_command.ts";
import type { ProcessLimits } from "./process_limits.ts";
import {
  CONTROL,
  type FromProcess,
  type ProcessOrder,
  reportIn,
  type ToProcess,
} from "./process_messages.ts";
import { killDescendants } from "./process_tree.ts";
import { RemoteThread } from "./remote_thread.ts";

/** Milliseconds to wait for the last lines of a process: what it has started may hold its streams open. */
const OUTPUT_LIMIT = 1_000;

/** Bytes that are read in a second of each of stdout and stderr. */
const MOST_OUTPUT = 4 * 1_048_576;

/** Characters of stderr that are kept to say why a process did not start. */
const KEPT_OUTPUT = 2_000;

/** The errors of what is no frame, no JSON and no report. Those of the connection have other classes. */
const FAULTS = [RangeError, SyntaxError, TypeError];

/** Options of {@linkcode ServiceProcess}. */
export interface ServiceProcessOptions {
  /** Gives the command for a process that finds the main thread at a socket. */
  readonly command: (socket: string) => ProcessCommand;
  /** Where else its socket can be made, if the folder for temporary files takes none. @default {nowhere} */
  readonly furtherFolders?: readonly string[];
  /** What the process may use. Its command sets the limit of open files. @default {no limits} */
  readonly limits?: ProcessLimits;
  /** Takes the lines that the process writes. */
  readonly onOutput: (lines: string) => void;
  /** Called with the reason when the process has ended, before its threads have. */
  readonly onEnd: (reason: string) => void;
}

/** A process that runs the threads of one service. */
export class ServiceProcess {
  /** Resolves when the process has ended, and all its threads have. Never rejects. */
  readonly ended: Promise<void>;
  readonly #process: Deno.ChildProcess;
  readonly #writer: FrameWriter;
  readonly #threads = new Map<number, RemoteThread>();
  readonly #questions = new Map<number, (slots: readonly number[]) => void>();
  #lastId = 0;
  #lastQuestion = 0;
  /** The end of what the process has written to stderr. */
  #errors = "";
  #connection: Deno.Conn | undefined;
  #killedFor: string | undefined;

  /** @throws {Error} If the system starts no process. */
  constructor({ command, furtherFolders = [], limits = {}, onOutput, onEnd }: ServiceProcessOptions) {
    const { folder, socket, listener } = listenInNewFolder(furtherFolders);
    let program: ProcessCommand;
    try {
      program = command(socket);
      this.#process = started(program);
    } catch (error) {
      listener.close();
      Deno.removeSync(folder, { recursive: true });
      throw error;
    }
    const { sandbox } = program;
    const order: ProcessOrder = { socket, token: crypto.randomUUID(), ...given({ sandbox }) };
    void new Blob([JSON.stringify(order)]).stream().pipeTo(this.#process.stdin).catch(() => {});
    const watch = watchLimits(this.pid, limits, (reason) => {
      killDescendants(this.pid);
      this.kill(reason);
    });
    // Another process may get the id of one that has ended.
    void this.#process.status.then(() => watch?.[Symbol.dispose]());
    const connection = this.#accept(listener, folder, order.token);
    this.#writer = new FrameWriter(connection, { leavesAtEndOfTurn: true });
    this.ended = this.#run(onOutput, listener, this.#read(connection)).then((reason) => {
      this.#killedFor ??= reason;
      onEnd(reason);
      for (const thread of this.#threads.values()) thread.fail(reason);
      this.#threads.clear();
      this.#questions.clear();
    });
  }

  /** Id of the process. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Whether the process has not ended and is not about to. */
  get isAlive(): boolean {
    return this.#killedFor === undefined;
  }

  /** Starts a thread as soon as the process is there. */
  spawn(options: ThreadOptions, heapLimit: number): Thread {
    const id = ++this.#lastId;
    this.#order({ type: "spawn", id, name: options.name, heapLimit });
    const thread = new RemoteThread(id, options, this.#writer, {
      kill: () => this.#order({ type: "kill", id }),
      killProcess: (reason) => this.kill(reason),
      recall: (slots, onAnswer) => this.#recall(id, slots, onAnswer),
    });
    this.#threads.set(id, thread);
    return thread;
  }

  /** Ends the process at once, and so all its threads. */
  kill(reason: string): void {
    this.#killedFor ??= reason;
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }

  /**
   * Lets the process end by itself, as it does when the main thread sends nothing more: then Deno exports what it still
   * has for OpenTelemetry. If that takes too long, or the process is not there yet, it ends at once.
   */
  async end(reason: string): Promise<void> {
    this.#killedFor ??= reason;
    try {
      await this.#connection?.closeWrite();
    } catch {
      // The process has closed the connection.
    }
    if (this.#connection === undefined || !await within(KILL_LIMIT, this.#process.status)) this.kill(reason);
  }

  #order(order: ToProcess): void {
    this.#writer.write(CONTROL, { kind: FrameKind.control, text: JSON.stringify(order) });
  }

  #recall(id: number, slots: readonly number[], onAnswer: (back: readonly number[]) => void): void {
    const question = ++this.#lastQuestion;
    this.#questions.set(question, onAnswer);
    this.#order({ type: "recall", id, question, slots });
  }

  /** Waits for the connection of the process. */
  async #accept(listener: Deno.Listener, folder: string, token: string): Promise<Deno.Conn> {
    try {
      const connection = await knownConnection(listener, token);
      return this.#connection = connection;
    } finally {
      closed(listener);
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    }
  }

  /** Never rejects. */
  async #read(coming: Promise<Deno.Conn>): Promise<void> {
    try {
      const connection = await coming;
      try {
        await readFrames(
          connection,
          (receiver, frame, at) => {
            if (receiver === CONTROL) this.#take(reportIn(frame.text));
            else this.#threads.get(receiver)?.port.receive(frame, at);
          },
          // What a process asks for, and does not read, must not grow.
          () => this.#writer.isFull ? this.#writer.flushed() : undefined,
        );
      } finally {
        connection.close();
      }
    } catch (error) {
      // Other errors are those of a connection that has ended.
      if (FAULTS.some((fault) => error instanceof fault)) {
        return this.kill(`its process sent what cannot be read: ${(error as Error).message}`);
      }
    }
    // A process that ends closes its connection, too, and how it has ended says more.
    if (!await within(OUTPUT_LIMIT, this.#process.status)) this.kill("its process closed its connection");
  }

  #take(report: FromProcess): void {
    if (report.type === "recalled") {
      this.#questions.get(report.question)?.(report.slots);
      this.#questions.delete(report.question);
      return;
    }
    this.#threads.get(report.id)?.end(report);
    this.#threads.delete(report.id);
  }

  async #run(
    onOutput: (lines: string) => void,
    listener: Deno.Listener,
    reading: Promise<void>,
  ): Promise<string> {
    const passed = Promise.allSettled([
      passLines(throttled(this.#process.stdout), onOutput),
      passLines(throttled(this.#process.stderr), (lines) => {
        this.#errors = (this.#errors + lines).slice(-KEPT_OUTPUT);
        onOutput(lines);
      }),
    ]);
    const { code, signal } = await this.#process.status;
    await within(OUTPUT_LIMIT, passed);
    // The program may end before those that hold the streams open.
    this.#process.unref();
    closed(listener);
    await within(OUTPUT_LIMIT, reading);
    const why = this.#connection !== undefined ? "" : stripVTControlCharacters(this.#errors).trim();
    const ending = signal === null ? `exited with status ${code}` : `was ended by ${signal}`;
    return this.#killedFor ?? `its process ${ending}${why && `: ${why}`}`;
  }
}

/** Listens at a socket in a folder that no other user may enter. */
function listenInNewFolder(furtherFolders: readonly string[]): ListeningSocket {
  try {
    return listenBelow();
  } catch (error) {
    for (const parent of furtherFolders) {
      try {
        return listenBelow(parent);
      } catch {
        // The first error says what to do.
      }
    }
    const wayOut = error instanceof Deno.errors.NotCapable
      ? "Start this program with -A"
      // The system takes paths of sockets of some 100 bytes at most.
      : "Set TMPDIR to a folder with a short path where this program may write";
    throw new Error(
      `Cannot make a socket in the folder for temporary files: ${(error as Error).message}. ${wayOut}`,
      { cause: error },
    );
  }
}

interface ListeningSocket {
  readonly folder: string;
  readonly socket: string;
  readonly listener: Deno.Listener;
}

/** @param parent Folder of the new folder. @default {the folder for temporary files} */
function listenBelow(parent?: string): ListeningSocket {
  const folder = Deno.makeTempDirSync({ prefix: "enoki-", ...given({ dir: parent }) });
  try {
    const socket = join(folder, "socket");
    return { folder, socket, listener: Deno.listen({ transport: "unix", path: socket }) };
  } catch (error) {
    Deno.removeSync(folder, { recursive: true });
    throw error;
  }
}

function started({ path, args, env }: ProcessCommand): Deno.ChildProcess {
  return new Deno.Command(path, {
    args: [...args],
    env: { ...env },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Reads a stream no faster than a process may write, which has to wait then. */
function throttled(stream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let since = performance.now();
  let bytes = 0;
  return stream.pipeThrough(
    new TransformStream({
      async transform(chunk, controller) {
        controller.enqueue(chunk);
        bytes += chunk.length;
        const left = since + 1_000 - performance.now();
        if (bytes > MOST_OUTPUT && left > 0) await pause(left);
        if (bytes <= MOST_OUTPUT && left > 0) return;
        since = performance.now();
        bytes = 0;
      },
    }),
  );
}

function closed(listener: Deno.Listener): void {
  try {
    listener.close();
  } catch {
    // It is closed already.
  }
}
