import { dirname, join } from "node:path";
import type { Environment } from "../../../runtime/config/references.ts";

/** Lines that a history keeps if `ENOKI_HISTORY_SIZE` is not set. */
const SIZE = 1_000;

/**
 * The lines that the user has typed into this shell and into earlier ones, in a file that only this user can read.
 *
 * The file is `ENOKI_HISTORY`; or `enoki/history` in `XDG_STATE_HOME`, which is `~/.local/state` by default, on Windows
 * in `LOCALAPPDATA`. If the variable is empty, or if the file cannot be written, the lines are forgotten at the end.
 */
export class History {
  /** Most lines that are kept. */
  readonly size: number;
  readonly #file: string | undefined;
  readonly #lines: readonly string[];
  #last: string | undefined;

  constructor(env: Environment) {
    const size = Number(env.get("ENOKI_HISTORY_SIZE") || SIZE);
    this.size = Number.isSafeInteger(size) && size >= 0 ? size : SIZE;
    this.#file = this.size === 0 ? undefined : fileFor(env);
    const lines = this.#file === undefined ? [] : read(this.#file);
    this.#lines = this.size === 0 ? [] : lines.slice(-this.size);
    this.#last = this.#lines.at(-1);
    // Each shell appends its lines, so the file may become longer than the history for a while.
    if (lines.length > 2 * this.size) this.#write(this.#lines, { append: false });
  }

  /** The lines of earlier shells, the newest one first. */
  get earlier(): string[] {
    return this.#lines.toReversed();
  }

  /** Adds a line, unless it is the same as the one before, is blank, or begins with a space. */
  add(line: string): void {
    if (line === this.#last || line.trim() === "" || line.startsWith(" ")) return;
    this.#last = line;
    this.#write([line], { append: true });
  }

  #write(lines: readonly string[], { append }: { readonly append: boolean }): void {
    if (this.#file === undefined) return;
    try {
      Deno.mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      Deno.writeTextFileSync(this.#file, lines.map((line) => `${line}\n`).join(""), { append, mode: 0o600 });
    } catch {
      // A shell without a history is still a shell.
    }
  }
}

function fileFor(env: Environment): string | undefined {
  const named = env.get("ENOKI_HISTORY");
  if (named !== undefined) return named === "" ? undefined : named;
  const folder = stateFolder(env);
  return folder === undefined ? undefined : join(folder, "enoki", "history");
}

function stateFolder(env: Environment): string | undefined {
  if (Deno.build.os === "windows") return env.get("LOCALAPPDATA") || undefined;
  const home = env.get("HOME");
  return env.get("XDG_STATE_HOME") || (home ? join(home, ".local", "state") : undefined);
}

function read(file: string): readonly string[] {
  try {
    return Deno.readTextFileSync(file).split("\n").filter((line) => line !== "");
  } catch {
    return [];
  }
}
