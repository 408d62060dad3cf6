import process from "node:process";

let known: boolean | undefined;

/** Whether this program was started with Deno's debugger (`--inspect`), as far as Deno tells: it does from 2.9 on. */
export function isDebugged(): boolean {
  return known ??= !Deno.build.standalone && hasDebugger();
}

function hasDebugger(): boolean {
  try {
    return typeof process.getBuiltinModule("node:inspector").url() === "string";
  } catch {
    // This program may not ask.
    return false;
  }
}
