/**
 * Keeps a thread from changing what is behind stdin, stdout and stderr by their numbers.
 *
 * A thread of Deno knows no numbers of files but those three and the ones that it opened. It may write to
 * stdout and stderr, as loggers do, because the console can, too.
 */
import fs from "node:fs";

const LAST_STANDARD = 2;

/** Functions of `node:fs` that change a file by its number. */
const CHANGING = ["fchmod", "fchown", "ftruncate", "futimes", "truncate"] as const;

/** Functions of `node:fs` that write, each with the place of its argument that says where in the file. */
const WRITING = [["write", 4], ["writev", 2]] as const;

type FileFunction = (descriptor: unknown, ...rest: readonly unknown[]) => unknown;

/** Closes the functions, and returns the names of those that are closed. */
export function closeStandardDescriptors(): readonly string[] {
  const functions = fs as unknown as Record<string, FileFunction>;
  const names: string[] = [];
  const guard = (name: string, isRefused: (rest: readonly unknown[]) => boolean) => {
    const original = functions[name];
    if (original === undefined) return;
    functions[name] = (descriptor, ...rest) => {
      if (isStandard(descriptor) && isRefused(rest)) throw refusal(name, descriptor);
      return original(descriptor, ...rest);
    };
    names.push(name);
  };
  for (const name of CHANGING) {
    guard(name, () => true);
    guard(`${name}Sync`, () => true);
  }
  for (const [name, place] of WRITING) {
    guard(name, (rest) => hasPosition(rest, place));
    guard(`${name}Sync`, (rest) => hasPosition(rest, place));
  }
  return names;
}

function isStandard(descriptor: unknown): boolean {
  return typeof descriptor === "number" && descriptor >= 0 && descriptor <= LAST_STANDARD;
}

/** Says whether a write is to a place in the file, which may be one that is written already. */
function hasPosition([data, options, ...rest]: readonly unknown[], place: number): boolean {
  const arguments_ = [undefined, data, options, ...rest];
  if (typeof data === "string") return typeof options === "number";
  if (typeof options === "object" && options !== null && "position" in options) return true;
  const position = arguments_[place];
  return typeof position === "number" || typeof position === "bigint";
}

function refusal(name: string, descriptor: unknown): Error {
  const message =
    `Cannot use ${name} on descriptor ${descriptor}: it belongs to the process. Write to it only`;
  return Object.assign(new Deno.errors.NotCapable(message), { code: "EPERM", syscall: name });
}
