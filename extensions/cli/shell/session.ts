/**
 * The shell as its user sees it: a prompt, lines with a history and a completion, values and failures.
 *
 * The terminal is in raw mode while the user edits a line: then Ctrl-C is a character that the editor of lines takes.
 * While an input runs, the terminal is in its ordinary mode, and Ctrl-C is a signal. No listener of that signal is
 * there before the input waits for something, so that an input that never waits can be ended with the whole process.
 */
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import type { CommandIo, StopSignal } from "../command_io.ts";
import { EXIT } from "../view/failure_report.ts";
import { complete } from "./completion.ts";
import { inputFailure, valueText } from "./display.ts";
import { CancelledInputError, type Evaluator } from "./evaluator.ts";
import type { History } from "./history.ts";
import type { Input } from "./input.ts";
import type { KnownServices } from "./services.ts";
import { onStrayFailure } from "./stray_failures.ts";

const PROMPT = "> ";
const MORE = "... ";

const COMMANDS: Readonly<Record<string, string>> = {
  ".help": "print this help",
  ".time": "tell how long each line takes, or stop telling it",
  ".break": "drop the lines of an unfinished input",
  ".exit": "leave the shell",
};

const HELP = `${Object.entries(COMMANDS).map(([name, meaning]) => `${name.padEnd(7)} ${meaning}`).join("\n")}

n.rpc.<service>.<method>(…)               call a method; n.rpc["a-service"].<method>(…) works, too
  .kwargs({ name: value }, …)             with Python keyword arguments
  .with({ timeout, headers, signal })(…)  with options; the timeout is in milliseconds
  .start(…)                               without waiting; .result() gives the answer
n.dispatch_event(source, type, payload)   dispatch an event in the name of a service
n.services                                the services that run, with their methods
n.config                                  the configuration, with its secrets masked
n.disconnect()                            close the connection
_                                         the value of the last line

A line that is a promise is awaited. Ctrl-C ends that wait, Tab completes names, Ctrl-D leaves.
`;

/** What a session works with. */
export interface SessionOptions {
  readonly evaluator: Evaluator;
  readonly known: KnownServices;
  readonly history: History;
  /** Name of the broker. */
  readonly broker: string;
  /** Whether lines can be edited and values have colors, if the user sees them at a terminal. */
  readonly fancy: boolean;
  readonly io: CommandIo;
}

/** A conversation with a user at a terminal. */
export class Session {
  readonly #evaluator: Evaluator;
  readonly #history: History;
  readonly #broker: string;
  readonly #fancy: boolean;
  readonly #io: CommandIo;
  readonly #editor: Interface;
  /** The lines of an input that is not finished. */
  #unfinished = "";
  /** Whether the user edits a line now. */
  #editing = false;
  #timing = false;
  #leaving = false;
  /** Whether no more lines come than those that wait. */
  #closed = false;
  /** Whether the last thing that the user did was Ctrl-C in an empty line. */
  #warned = false;

  constructor({ evaluator, known, history, broker, fancy, io }: SessionOptions) {
    this.#evaluator = evaluator;
    this.#history = history;
    this.#broker = broker;
    this.#fancy = fancy && process.stdout.isTTY === true;
    this.#io = io;
    const names = { scope: evaluator.scope, known, commands: Object.keys(COMMANDS) };
    this.#editor = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: this.#fancy,
      history: history.earlier,
      historySize: history.size,
      removeHistoryDuplicates: true,
      completer: (line: string, done: (error: null, completion: [string[], string]) => void) => {
        complete(line, names).then(
          ([candidates, end]) => done(null, [[...candidates], end]),
          () => done(null, [[], line]),
        );
      },
    });
    this.#editor.on("SIGINT", () => this.#interrupt());
    this.#editor.on("close", () => this.#closed = true);
  }

  /** Writes a message, above the line that the user edits. */
  write(text: string): void {
    if (!this.#editing || !this.#fancy || this.#closed) return this.#io.writeMessage(text);
    this.#io.writeMessage(`\r\x1b[J${text}`);
    this.#editor.prompt(true);
  }

  /** Reads and runs inputs until the user leaves, and gives the exit status. */
  async run(): Promise<number> {
    using _failures = onStrayFailure((error) => this.#report(error, ""));
    const lines = this.#editor[Symbol.asyncIterator]();
    try {
      while (!this.#leaving) {
        const line = await this.#nextLine(lines);
        if (line === undefined) {
          if (this.#fancy) this.#io.writeResult("\n");
          break;
        }
        this.#history.add(line);
        await this.#take(line);
      }
    } finally {
      this.#editor.close();
    }
    return EXIT.fine;
  }

  async #nextLine(lines: AsyncIterator<string>): Promise<string | undefined> {
    this.#editor.setPrompt(this.#unfinished === "" ? PROMPT : MORE);
    if (!this.#closed) this.#editor.prompt();
    this.#editing = true;
    using _stop = this.#io.onStop((signal) => {
      if (signal === "SIGTERM") this.#editor.close();
      else this.#interrupt();
    });
    const { value, done } = await lines.next();
    this.#editing = false;
    return done ? undefined : value;
  }

  /** Drops what the user has typed. Twice in an empty line, it leaves. */
  #interrupt(): void {
    const empty = this.#editor.line === "" && this.#unfinished === "";
    if (empty && this.#warned) return this.#editor.close();
    this.#warned = empty;
    this.#unfinished = "";
    this.#editor.setPrompt(PROMPT);
    if (this.#fancy) this.#editor.write(null, { ctrl: true, name: "e" });
    this.#io.writeResult(empty ? "\nPress Ctrl-C again, or Ctrl-D, to leave\n" : "\n");
    // Ctrl-U drops the line up to the cursor, which Ctrl-E has put at its end, and shows the prompt again.
    if (this.#fancy) this.#editor.write(null, { ctrl: true, name: "u" });
    else this.#editor.prompt();
  }

  async #take(line: string): Promise<void> {
    this.#warned = false;
    if (this.#unfinished === "" && /^\s*(?:\.[a-z]|(?:exit|quit)(?:\(\))?\s*$)/.test(line)) {
      return this.#command(line.trim());
    }
    if (line.trim() === ".break") return void (this.#unfinished = "");
    const text = this.#unfinished === "" ? line : `${this.#unfinished}\n${line}`;
    let input: Input | undefined;
    try {
      input = this.#evaluator.read(text);
    } catch (error) {
      this.#unfinished = "";
      return this.#report(error, text);
    }
    this.#unfinished = input === undefined ? text : "";
    if (input === undefined || text.trim() === "") return;
    const begun = performance.now();
    await this.#evaluate(input, text);
    if (this.#timing) this.#io.writeMessage(`${(performance.now() - begun).toFixed(1)} ms\n`);
  }

  async #evaluate(input: Input, text: string): Promise<void> {
    this.#setRaw(false);
    try {
      const value = this.#evaluator.run(input);
      using _stop = this.#io.onStop((signal: StopSignal) => {
        this.#leaving ||= signal === "SIGTERM";
        this.#evaluator.cancel();
      });
      const settled = await value;
      if (settled !== undefined) {
        this.#io.writeResult(`${valueText(settled, this.#fancy && this.#io.screen?.colors === true)}\n`);
      }
    } catch (error) {
      if (error instanceof CancelledInputError) this.#io.writeMessage("\nCancelled\n");
      else this.#report(error, text);
    } finally {
      this.#setRaw(true);
    }
  }

  #setRaw(raw: boolean): void {
    if (this.#fancy && !this.#closed) process.stdin.setRawMode(raw);
  }

  #report(error: unknown, text: string): void {
    this.write(`${inputFailure(error, text, this.#broker).text}\n`);
  }

  #command(name: string): void {
    switch (name.replace("()", "")) {
      case ".help":
        return this.#io.writeResult(HELP);
      case ".time":
        this.#timing = !this.#timing;
        return this.#io.writeMessage(`Timing is ${this.#timing ? "on" : "off"}\n`);
      case ".break":
        return;
      case ".exit":
      case "exit":
      case "quit":
        this.#leaving = true;
        return;
      default:
        return this.#io.writeMessage(`Unknown command ${name}. See .help\n`);
    }
  }
}
