/**
 * Starts the process over with the flags of Deno that threads need.
 *
 * `deno run ./cli.ts` finds most flags in the `deno.json` beside `cli.ts`, but a `deno.json` cannot hold flags of
 * V8. If the command line was imported by URL, Deno finds no `deno.json`, and the first restricted thread would end
 * the process. So the process becomes another one by `exec`, which keeps its id, its terminal, its environment and
 * its standard streams.
 * A program that sends a signal to the process or waits for its status sees one process all the time. Windows
 * has no `exec`: there, this process runs a second process.
 *
 * The new process keeps the flags that Deno was started with, if the system shows them. Otherwise they are
 * not known, and `-A` takes their place if everything is allowed. If the process cannot be started over,
 * nothing happens here. Then the code that needs a restricted thread reports the missing flag.
 */
import {
  hasInterruptibleLoops,
  INTERRUPTIBLE_LOOPS_FLAG,
} from "../../runtime/permissions/interruptible_loops.ts";
import { LIBC } from "../../runtime/permissions/libc.ts";
import { DENO_PERMISSION_NAMES } from "../../runtime/permissions/permissions.ts";
import { projectFlags } from "./flags/project_flags.ts";
import { commandLine } from "../../runtime/program/program_config.ts";
import { YOUNG_HEAP_FLAG } from "../../runtime/program/young_heap.ts";
import { hasWorkerOptions, WORKER_OPTIONS_FLAG } from "../../runtime/permissions/worker_options.ts";

/** Flags of Deno that threads need, beside that of V8. */
export const THREAD_FLAGS: readonly string[] = [WORKER_OPTIONS_FLAG, "--unstable-no-legacy-abort"];

/** How the flag begins that passes flags to V8. Deno takes it once. */
const V8_FLAGS = "--v8-flags=";

/** Environment variable that marks the second process, which may not be able to see its own flags. */
export const STARTED_OVER = "ENOKI_STARTED_OVER";

/**
 * Starts the process over if it may lack the flags, but only once.
 *
 * @param module Path or URL of the first module that will be loaded, whose project has the lock file for packages.
 * @returns The exit status if another process has done the work; undefined if this process has to do the
 * work.
 */
export async function startOver(module?: string): Promise<number | undefined> {
  if (!isAllowedAll()) return undefined;
  const again = Deno.env.get(STARTED_OVER) !== undefined;
  Deno.env.delete(STARTED_OVER);
  if (again || (hasWorkerOptions() === true && hasInterruptibleLoops() !== false)) return undefined;
  Deno.env.set(STARTED_OVER, "1");
  const words = commandLineWithFlags(module);
  if (Deno.build.os === "windows") return await runInstead(words);
  execute(Deno.execPath(), words);
  Deno.env.delete(STARTED_OVER);
  return undefined;
}

function isAllowedAll(): boolean {
  return DENO_PERMISSION_NAMES.every((name) =>
    Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state === "granted"
  );
}

function commandLineWithFlags(module: string | undefined): string[] {
  const words = commandLine() ?? ["run", "-A", Deno.mainModule, ...Deno.args];
  const main = words.length - Deno.args.length - 1;
  const given = words.slice(0, main);
  const missing = THREAD_FLAGS.filter((flag) => !given.includes(flag));
  const ofV8 = given.find((word) => word.startsWith(V8_FLAGS));
  // V8 heeds the last of several flags of one name, so those that were given win.
  const added = [
    INTERRUPTIBLE_LOOPS_FLAG,
    YOUNG_HEAP_FLAG,
    ...ofV8 === undefined ? [] : [ofV8.slice(V8_FLAGS.length)],
  ].join();
  const project = module === undefined ? [] : projectFlags(module, given, Deno.mainModule);
  return [
    ...given.filter((word) => word !== ofV8),
    ...missing,
    added,
    ...project,
    ...words.slice(main),
  ];
}

/** Turns this process into another program. Returns only if that is not possible. */
function execute(path: string, words: readonly string[]): void {
  if (LIBC === undefined) return;
  const libc = Deno.dlopen(LIBC, { execv: { parameters: ["buffer", "buffer"], result: "i32" } });
  const texts = [path, ...words].map((word) => new TextEncoder().encode(`${word}\0`));
  const pointers = texts.map((text) => BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(text))));
  libc.symbols.execv(texts[0]!, new BigUint64Array([...pointers, 0n]));
  libc.close();
}

async function runInstead(words: readonly string[]): Promise<number> {
  // The console sends Ctrl-C to both processes, and the second process decides what Ctrl-C means.
  Deno.addSignalListener("SIGINT", () => {});
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [...words],
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  return code;
}
