import { escapeControls } from "../../../runtime/log/terminal_text.ts";
import type { CommandIo } from "../command_io.ts";

const ERASE = "\r\x1b[K";

/** Shows the current step: on a terminal in one line that each step replaces, elsewhere in a new line. */
export class ProgressLine {
  readonly #io: CommandIo;
  #shown = "";

  constructor(io: CommandIo) {
    this.#io = io;
  }

  /** Shows the current step. */
  show(step: string): void {
    const text = escapeControls(step);
    if (this.#io.terminal) {
      // The line must not wrap, because a wrapped line cannot be erased.
      this.#shown = text.slice(0, this.#io.columns - 1);
      this.#io.writeMessage(ERASE + this.#shown);
    } else this.#io.writeMessage(`${text}\n`);
  }

  /** Erases the line. */
  clear(): void {
    if (this.#shown !== "") this.#io.writeMessage(ERASE);
    this.#shown = "";
  }

  /** Writes lines that stay, with colors where the caller has put them, above the line of the current step. */
  write(text: string): void {
    this.#io.writeMessage(this.#shown === "" ? `${text}\n` : `${ERASE}${text}\n${this.#shown}`);
  }
}
