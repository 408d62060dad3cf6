import type { CommandIo } from "../command_io.ts";

const ERASE = "\r\x1b[K";

/** What is going on: one line that is replaced on a terminal, a line each elsewhere. */
export class ProgressLine {
  readonly #io: CommandIo;
  #shown = "";

  constructor(io: CommandIo) {
    this.#io = io;
  }

  /** Shows what is going on now. */
  show(text: string): void {
    if (this.#io.terminal) {
      // A line that wraps could not be erased.
      this.#shown = text.slice(0, this.#io.columns - 1);
      this.#io.writeMessage(ERASE + this.#shown);
    } else this.#io.writeMessage(`${text}\n`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#shown !== "") this.#io.writeMessage(ERASE);
    this.#shown = "";
  }

  /** Writes lines that stay, above the one that is shown. */
  write(text: string): void {
    this.#io.writeMessage(this.#shown === "" ? `${text}\n` : `${ERASE}${text}\n${this.#shown}`);
  }
}
