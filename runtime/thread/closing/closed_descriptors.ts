/**
 * Keeps a thread from changing what is behind stdin, stdout and stderr by their numbers.
 *
 * A thread of Deno knows no numbers of files but those three and the ones that it opened. It may write to
 * stdout and stderr, as loggers do, because the console can, too.
 */
import fs from "node:fs";
import { apply, defineProperty, getPrototypeOf } from "./untouched.ts";

const LAST_STANDARD = 2;

/** Functions of `node:fs` that change a file by its number. */
const CHANGING = ["fchmod", "fchown", "ftruncate", "futimes", "truncate"] as const;

/** Functions of `node:fs` that write, each with the place of its argument that says where in the file. */
const WRITING = [["write", 4], ["writev", 2]] as const;

type FileFunction = (...args: readonly unknown[]) => unknown;

/** Closes the functions, and returns the names that are closed, by module. */
export function closeStandardDescriptors(): Readonly<Record<string, readonly string[]>> {
  const functions = fs as unknown as Record<string, FileFunction>;
  const names: string[] = [];
  const guard = (name: string, isRefused: (args: readonly unknown[]) => boolean) => {
    const original = functions[name];
    if (original === undefined) return;
    functions[name] = (...args) => {
      if (isStandard(args[0]) && isRefused(args)) throw refusal(name, args[0]);
      return apply(original, fs, args);
    };
    names.push(name);
  };
  for (const name of CHANGING) {
    guard(name, () => true);
    guard(`${name}Sync`, () => true);
  }
  for (const [name, place] of WRITING) {
    guard(name, (args) => hasPosition(args, place));
    guard(`${name}Sync`, (args) => hasPosition(args, place));
  }
  closeHandles();
  return { "node:fs": names, "node:fs/promises": ["open"] };
}

/** Hides the class of file handles, which makes a handle of any number. */
function closeHandles(): void {
  const { promises } = fs;
  const { open } = promises;
  promises.open = async (...args: readonly unknown[]) => {
    const handle = await (apply(open, promises, args) as ReturnType<typeof open>);
    defineProperty(getPrototypeOf(handle)!, "constructor", { value: Object });
    return handle;
  };
}

function isStandard(descriptor: unknown): boolean {
  return typeof descriptor === "number" && descriptor >= 0 && descriptor <= LAST_STANDARD;
}

/** Says whether a write is to a place in the file, which may be one that is written already. */
function hasPosition(args: readonly unknown[], place: number): boolean {
  const data = args[1];
  const options = args[2];
  if (typeof data === "string") return typeof options === "number";
  if (typeof options === "object" && options !== null && "position" in options) return true;
  const position = args[place];
  return typeof position === "number" || typeof position === "bigint";
}

function refusal(name: string, descriptor: unknown): Error {
  const message =
    `Cannot use ${name} on descriptor ${descriptor}: it belongs to the process. Write to it only`;
  return Object.assign(new Deno.errors.NotCapable(message), { code: "EPERM", syscall: name });
}
