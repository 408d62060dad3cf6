/** Marks in Deno's audit what a service does and the audit leaves out: the programs and the Workers that it starts. */
import process from "node:process";
import { fileURLToPath } from "node:url";
import workerThreads from "node:worker_threads";
import { markInAudit, markSockets } from "../../channel/audit_marks.ts";
import { replaceImports } from "./closed_builtins.ts";

type Call = (...args: readonly unknown[]) => unknown;

/** What runs the command lines of `exec()`, and of `spawn()` with the option `shell`. */
const SHELL = Deno.build.os === "windows" ? "cmd.exe" : "/bin/sh";

/** The functions of `node:child_process`, each with the program that its arguments name. */
const STARTERS: Readonly<Record<string, (...args: readonly unknown[]) => unknown>> = {
  exec: shellOf,
  execSync: shellOf,
  execFile: programOf,
  execFileSync: programOf,
  fork: () => Deno.execPath(),
  spawn: programOf,
  spawnSync: programOf,
};

/** Makes this thread mark in the audit what the audit leaves out. */
export function markCalls(): void {
  const { getBuiltinModule } = process as unknown as {
    getBuiltinModule(name: string): Record<string, Call>;
  };
  const childProcess = getBuiltinModule("node:child_process");
  markSockets();
  markCommands();
  for (const [name, started] of Object.entries(STARTERS)) {
    markBefore(childProcess, name, (...args) => {
      markInAudit("run", String(started(...args)));
    });
  }
  replaceImports({ "node:child_process": Object.keys(STARTERS), "node:process": ["kill"] });
  for (const constructor of [globalThis.Worker, workerThreads.Worker]) markConstruction(constructor);
}

function markCommands(): void {
  const { Command } = Deno;
  Deno.Command = class extends Command {
    constructor(program: string | URL, options?: Deno.CommandOptions) {
      markInAudit("run", program instanceof URL ? fileURLToPath(program) : program);
      super(program, options);
    }
  };
  // Deno lets nobody signal a process who may not run all programs.
  for (const object of [Deno, process]) {
    markBefore(object as unknown as Record<string, Call>, "kill", () => markInAudit("run"));
  }
}

function markBefore(object: Record<string, Call>, name: string, mark: Call): void {
  const original = object[name]!;
  object[name] = function (this: unknown, ...args) {
    mark(...args);
    return Reflect.apply(original, this, args);
  };
}

/** The first step of the constructors of both classes is to call that of the class above. */
function markConstruction(constructor: object): void {
  const above = Object.getPrototypeOf(constructor);
  const marked = function (...args: readonly unknown[]) {
    markInAudit("workers");
    return Reflect.construct(above, args, new.target ?? above);
  };
  Object.setPrototypeOf(marked, above);
  Object.setPrototypeOf(constructor, marked);
}

function programOf(file: unknown, args: unknown, options: unknown): unknown {
  const { shell } = (Array.isArray(args) ? options : args ?? options) as { readonly shell?: unknown } ?? {};
  return shell === true ? SHELL : typeof shell === "string" ? shell : file;
}

function shellOf(_command: unknown, options: unknown): unknown {
  const { shell } = options as { readonly shell?: unknown } ?? {};
  return typeof shell === "string" ? shell : SHELL;
}
