import { abortable } from "../../../runtime/waiting/abort.ts";
import { type Input, InputReader, type Scope } from "./input.ts";

/** Runs inputs one after the other, in one scope. */
export class Evaluator {
  /** The names that inputs see beside the global ones. */
  readonly scope: Scope = Object.create(null);
  readonly #reader: InputReader;
  readonly #sending = new Set<Promise<void>>();
  #running = new AbortController();

  constructor(reader: InputReader) {
    this.#reader = reader;
  }

  /** Loads what reads inputs. */
  static async load(): Promise<Evaluator> {
    return new Evaluator(await InputReader.load());
  }

  /** Aborts when the input that runs now, or the last one, is cancelled. */
  get signal(): AbortSignal {
    return this.#running.signal;
  }

  /**
   * Reads an input. Gives undefined if more has to follow.
   *
   * @throws {SyntaxError} If the text is not JavaScript.
   */
  read(text: string): Input | undefined {
    return this.#reader.read(text);
  }

  /** Begins an input, waits for its value, and keeps the value as `_`. */
  run(input: Input): Promise<unknown> {
    this.#running = new AbortController();
    const { signal } = this.#running;
    const value = input(this.scope);
    return abortable(value, signal).then((value) => this.scope["_"] = value);
  }

  /** Takes notice of a call or an event that an input sends, and gives the same result. */
  track<Value>(sending: Promise<Value>): Promise<Value> {
    const settled = sending.then(() => {}, () => {}).finally(() => this.#sending.delete(settled));
    this.#sending.add(settled);
    // The one that the user gets has no handler yet, so that a failure that nobody handles is heard of.
    return sending.then((value) => value);
  }

  /** Resolves when everything that inputs have sent has come to an end, well or not. */
  async settled(): Promise<void> {
    while (this.#sending.size > 0) await Promise.all(this.#sending);
  }

  /** Ends the wait for the input that runs, and the waits for calls that it has begun. */
  cancel(): void {
    this.#running.abort(new CancelledInputError());
  }
}

/** The user has cancelled an input. */
export class CancelledInputError extends Error {
  static {
    this.prototype.name = "CancelledInputError";
  }

  constructor() {
    super("The input was cancelled");
  }
}
