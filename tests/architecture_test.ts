/**
 * Who may import whom, and who may do what.
 *
 * Type-only imports count where the rule is about knowing (layers), and do not count where it is about loading
 * (cycles, what a thread or `mod.ts` pulls in).
 */
import { deepStrictEqual, ok } from "node:assert/strict";
import {
  denoMembersOf,
  namesUsedBy,
  nodesOf,
  reachableFrom,
  type SourceFile,
  SOURCES,
} from "./fixtures/source_tree.ts";

const FILES = [...SOURCES.values()];

/** Where people are spoken to: the command line, and the sink of the log. */
const SPEAKERS = ["cli.ts", "runtime/cli/", "runtime/observe.ts"];

/** The command line alone. */
const COMMAND_LINE = ["cli.ts", "runtime/cli/"];

/** Loaded by service threads; main loads none of them, but for the inline threads, which are none. */
const THREAD_SIDE = [
  "service_thread",
  "worker_main",
  "invoker",
  "port_messenger",
  "call_scope",
  "worker_scope",
  "sandbox",
  "module_bundle_import",
];

/** Loaded by main; no thread loads any of them. */
const HOST_SIDE = [
  ...[
    "worker",
    "pool",
    "pool_limits",
    "crew",
    "demand",
    "wake_timer",
    "same_entrypoints",
    "service_times",
    "container",
    "runner",
    "launcher",
    "reload",
    "reload_on_change",
    "file_watch",
    "loader",
    "placement",
    "host",
    "queue_host",
    "held_calls",
    "message_fate",
  ],
  ...[
    "thread",
    "web_threads",
    "node_threads",
    "warden_threads",
    "inline_threads",
    "node_worker",
    "module_graph",
    "module_bundle",
    "module_bundler",
    "module_bundler_guard",
    "module_bundler_imports",
    "import_map",
    "own_modules",
    "prepared_module",
    "config_section",
    "config_place",
    "worker_options",
    "permission_prompts",
    "module_fetcher",
    "module_cache",
    "module_download",
    "module_lock",
    "module_options",
    "module_origins",
    "module_source",
    "websocket_options",
  ],
  ...["module_specifier", "permissions", "observe", "config", "config_file", "config_options", "config_yaml"],
];

const HARD_LIMIT = 400;

const FORBIDDEN_NAMES =
  /(?:^|_)(?:utils?|helpers?|types|common|constants|base|misc|shared|index|impl|manager)\.ts$/;

/** Sentences for what is wrong; none is right. */
function complaints(judge: (file: SourceFile) => Iterable<string>): string[] {
  return FILES.flatMap((file) => [...judge(file)].map((complaint) => `${file.path} ${complaint}`));
}

function isAmong(path: string, places: readonly string[]): boolean {
  return places.some((place) => place.endsWith("/") ? path.startsWith(place) : path === place);
}

/** `local:` is the memory broker behind a socket. */
const BUILT_ON: Readonly<Record<string, string>> = { local: "memory" };

/** The extension that a file belongs to; undefined for files directly in `extensions/` and elsewhere. */
function extensionOf(path: string): string | undefined {
  return /^extensions\/([^/]+)\//.exec(path)?.[1];
}

Deno.test("runtime/ knows no extension", () => {
  deepStrictEqual(
    complaints(({ path, imports }) =>
      path.startsWith("runtime/")
        ? imports.filter(({ target }) => target.startsWith("extensions/")).map(({ target }) =>
          `imports ${target}`
        )
        : []
    ),
    [],
  );
});

Deno.test("runtime/ and extensions/ know nothing of the top level", () => {
  deepStrictEqual(
    complaints(({ path, imports }) =>
      path.includes("/")
        ? imports.filter(({ target }) => /^[^:/]+\.ts$/.test(target)).map(({ target }) => `imports ${target}`)
        : []
    ),
    [],
  );
});

Deno.test("an extension knows no other extension", () => {
  deepStrictEqual(
    complaints(({ path, imports }) => {
      const own = extensionOf(path);
      if (own === undefined) return [];
      return imports
        .filter(({ target }) => target.startsWith("extensions/"))
        .filter(({ target }) => extensionOf(target) !== own && extensionOf(target) !== (BUILT_ON[own] ?? own))
        .map(({ target }) => `imports ${target}`);
    }),
    [],
  );
});

Deno.test("extensions are known to each other, to files directly in extensions/ and to the doors only", () => {
  deepStrictEqual(
    complaints(({ path, imports }) =>
      /^extensions\//.test(path) || path === "mod.ts"
        ? []
        : imports.filter(({ target }) => extensionOf(target) !== undefined).map(({ target }) =>
          `imports ${target}`
        )
    ),
    [],
  );
});

Deno.test("the import map's packages are behind one file each", () => {
  const importers = new Map<string, Set<string>>();
  for (const { path, imports } of FILES) {
    for (const { target } of imports) {
      const name = /^npm:\/?((?:@[^/]+\/)?[^@/]+)/.exec(target)?.[1];
      if (name !== undefined) importers.set(name, (importers.get(name) ?? new Set()).add(path));
    }
  }
  for (const [name, paths] of importers) {
    ok(paths.size === 1, `${name} is imported by ${[...paths].join(", ")}`);
  }
});

Deno.test("nothing comes from anywhere but here, npm and the built-ins", () => {
  deepStrictEqual(
    complaints(({ imports }) =>
      imports
        .filter(({ target }) => /^(?!npm:|node:)[a-z]+:/.test(target))
        .map(({ target }) => `imports ${target}`)
    ),
    [],
  );
});

Deno.test("no module imports JSON: Deno would compile all of a binary's code anew at each start", () => {
  deepStrictEqual(
    complaints(({ imports }) =>
      imports.filter(({ target }) => target.endsWith(".json")).map(({ target }) => `imports ${target}`)
    ),
    [],
  );
});

Deno.test("imports make no cycles", () => {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
    if (done.has(path)) return;
    done.add(path);
    for (const { target, typeOnly } of SOURCES.get(path)?.imports ?? []) {
      if (!typeOnly) visit(target, [...trail, path]);
    }
  };
  for (const { path } of FILES) visit(path, []);
  deepStrictEqual(cycles, []);
});

for (
  const door of ["mod.ts", "runtime/testing.ts", "runtime/decorators.ts"].filter((path) => SOURCES.has(path))
) {
  Deno.test(`nothing that ${door} loads opens a socket, spawns a thread or ends the process`, () => {
    const forbidden = /^(?:exit|listen\w*|connect\w*|serve|Command|stdin|stdout|stderr|addSignalListener)$/;
    const found: string[] = [];
    for (const path of reachableFrom(door)) {
      if (
        /^npm:\/?amqplib|^node:(?:net|tls|http2?|https|dgram|worker_threads|child_process|cluster)$/.test(
          path,
        )
      ) {
        found.push(path);
      }
      const file = SOURCES.get(path);
      if (file === undefined) continue;
      for (const member of denoMembersOf(file)) {
        if (forbidden.test(member)) found.push(`${path} uses Deno.${member}`);
      }
      if (spawnsWorkers(file)) found.push(`${path} spawns a Worker`);
    }
    deepStrictEqual(found, []);
  });
}

function spawnsWorkers(file: SourceFile): boolean {
  if (!namesUsedBy(file).has("Worker")) return false;
  for (const node of nodesOf(file.program)) {
    if (node.type === "NewExpression" && node.callee.type === "Identifier" && node.callee.name === "Worker") {
      return true;
    }
  }
  return false;
}

Deno.test("only the command line reads arguments, installs signal handlers and ends the process", () => {
  deepStrictEqual(
    complaints((file) => {
      if (isAmong(file.path, COMMAND_LINE)) return [];
      const members = [...denoMembersOf(file)].filter((member) =>
        /^(?:args|exit|exitCode|addSignalListener|removeSignalListener)$/.test(member) &&
        // It stands in for the function that service code calls.
        !(file.path === "runtime/worker_main.ts" && member === "exit") &&
        // Its listener hears nothing: it keeps Deno from hearing.
        !(file.path === "runtime/debugger_signal.ts" && member.endsWith("SignalListener"))
      );
      return members.map((member) => `uses Deno.${member}`);
    }),
    [],
  );
});

Deno.test("only the command line and the log's sink print", () => {
  deepStrictEqual(
    complaints((file) => {
      if (isAmong(file.path, SPEAKERS)) return [];
      const printed = [...denoMembersOf(file)].filter((member) => /^(?:stdout|stderr)$/.test(member));
      const names = [...namesUsedBy(file)].filter((name) => /^(?:console|alert|prompt|confirm)$/.test(name));
      return [...printed.map((member) => `uses Deno.${member}`), ...names.map((name) => `uses ${name}`)];
    }),
    [],
  );
});

Deno.test("threads load nothing of the host side", () => {
  const host = new Set(HOST_SIDE.map((name) => `runtime/${name}.ts`));
  const loaded = [...reachableFrom("runtime/worker_main.ts")];
  deepStrictEqual(loaded.filter((path) => host.has(path) || path.startsWith("extensions/")), []);
});

Deno.test("the host side loads nothing of the threads, but for running inline", () => {
  const threads = new Set(THREAD_SIDE.map((name) => `runtime/${name}.ts`));
  const exempt = new Set([...threads, "runtime/inline_threads.ts", "runtime/testing.ts"]);
  deepStrictEqual(
    complaints(({ path, imports }) =>
      exempt.has(path)
        ? []
        : imports.filter(({ target, typeOnly }) => !typeOnly && threads.has(target)).map(({ target }) =>
          `loads ${target}`
        )
    ),
    [],
  );
});

Deno.test("the lists of both sides name files that exist", () => {
  deepStrictEqual([...THREAD_SIDE, ...HOST_SIDE].filter((name) => !SOURCES.has(`runtime/${name}.ts`)), []);
});

/** Members of `Deno` that touch nothing outside. */
const PURE_MEMBERS = ["inspect", "version"];

Deno.test("what both sides load does no I/O", () => {
  const inThreads = reachableFrom("runtime/worker_main.ts");
  const threads = new Set(THREAD_SIDE.map((name) => `runtime/${name}.ts`));
  const found: string[] = [];
  for (const path of reachableFrom("runtime/runner.ts")) {
    const file = SOURCES.get(path);
    if (file === undefined || !inThreads.has(path) || threads.has(path)) continue;
    for (const member of denoMembersOf(file)) {
      if (!PURE_MEMBERS.includes(member)) found.push(`${path} uses Deno.${member}`);
    }
    for (const { target } of file.imports) {
      if (target.startsWith("node:") && target !== "node:buffer") found.push(`${path} imports ${target}`);
    }
  }
  deepStrictEqual(found, []);
});

Deno.test("files stay within the hard limit of lines", () => {
  deepStrictEqual(
    complaints(({ text }) => {
      const lines = text.split("\n").length - 1;
      return lines > HARD_LIMIT ? [`has ${lines} lines, more than ${HARD_LIMIT}`] : [];
    }),
    [],
  );
});

Deno.test("files are named in snake_case after a concept", () => {
  deepStrictEqual(
    complaints(({ path }) => {
      const name = path.slice(path.lastIndexOf("/") + 1);
      if (!/^[a-z][a-z0-9]*(?:_[a-z0-9]+)*\.ts$/.test(name)) return ["is not named in snake_case"];
      return FORBIDDEN_NAMES.test(name) ? ["is named after no concept"] : [];
    }),
    [],
  );
});

Deno.test("all syntax is erasable: no enum, no namespace, no parameter property", () => {
  deepStrictEqual(
    complaints((file) => {
      try {
        return file.program.body.length >= 0 ? [] : [];
      } catch (error) {
        return [`does not strip: ${(error as Error).message}`];
      }
    }),
    [],
  );
});

Deno.test("members are private by # and not by a keyword", () => {
  deepStrictEqual(
    complaints(({ text }) =>
      [...text.matchAll(
        /^\s*(?:private|protected|public)\s+(?:static|readonly|async|get|set|[\w#]+\s*[(:=;?!])/gm,
      )]
        .map(([found]) => `has "${found.trim()}"`)
    ),
    [],
  );
});

Deno.test("any has a line before it that says why", () => {
  deepStrictEqual(
    complaints(({ text }) => {
      const lines = text.split("\n");
      return lines.flatMap((line, index) =>
        isComment(line) || !/(?:[:<,|&(]|\bas|=>|\bextends)\s*any\b(?!\s*[:'"`])/.test(line) ||
          /deno-lint-ignore no-explicit-any -- \w/.test(lines[index - 1] ?? "")
          ? []
          : [`has an unexplained any in line ${index + 1}`]
      );
    }),
    [],
  );
});

Deno.test("lint exemptions say why", () => {
  deepStrictEqual(
    complaints(({ text }) =>
      text.split("\n").flatMap((line, index) =>
        line.includes("deno-lint-ignore") && !/deno-lint-ignore(?!-file)[ a-z-]* -- \w/.test(line)
          ? [`exempts without a reason in line ${index + 1}`]
          : []
      )
    ),
    [],
  );
});

Deno.test("no work is left for later in a comment", () => {
  deepStrictEqual(
    complaints(({ text }) =>
      [...text.matchAll(/\b(?:TODO|FIXME|XXX|HACK)\b/g)].map(([word]) => `says ${word}`)
    ),
    [],
  );
});

function isComment(line: string): boolean {
  return /^\s*(?:\/\/|\/?\*)/.test(line);
}
