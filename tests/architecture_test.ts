/**
 * Who may import whom, and who may do what.
 *
 * The rules are those of folders: a new file needs no entry anywhere, and a new folder of `runtime/` needs its row in
 * `runtime/README.md`. Imports of types count like all others, but for what a thread or a door loads.
 */
import { deepStrictEqual, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { OPTIONAL_DOORS, OWN_PACKAGE } from "../runtime/program/own_package.ts";
import { FLOOR_PLAN, FLOORS, mayImport } from "./fixtures/floor_plan.ts";
import {
  denoMembersOf,
  loadedWith,
  namesUsedBy,
  nodesOf,
  reachableFrom,
  type SourceFile,
  SOURCES,
} from "./fixtures/source_tree.ts";

const FILES = [...SOURCES.values()];

/** The entry modules of threads and wardens. */
const THREAD_ENTRY = "runtime/thread/main.ts";

/** The door of tests, which knows several extensions. */
const TESTING = "extensions/testing/";

/** The command line, and the main functions of the process that bundles and of the process of a service. */
const COMMAND_LINE = [
  "cli.ts",
  "extensions/cli/",
  "runtime/module/bundle/bundling_process.ts",
  "runtime/spawning/process/main.ts",
];

/** Where the program speaks: the command line, and the log's sink. */
const SPEAKERS = [...COMMAND_LINE, "runtime/log/observe.ts"];

/** What may start a process, open a socket or stop the process, beside the command line. */
const PROCESS = [
  ...COMMAND_LINE,
  "runtime/module/",
  "runtime/permissions/debugger_signal.ts",
  "runtime/spawning/process/",
  "runtime/thread/closing/audited_calls.ts",
  "extensions/amqp/",
  "extensions/local/",
  "extensions/http/",
  "extensions/stream/",
  "extensions/testing/vhost_managers.ts",
  "extensions/python_logging/syslog.ts",
];

/** What one extension may know of another. */
const BUILT_ON: Readonly<Record<string, readonly string[]>> = {
  local: ["memory"],
  websocket: ["http"],
  stream: ["http"],
  cache: ["redis", "rpc"],
  asyncapi: ["rpc", "events", "messaging"],
};

/** The folders of `runtime/` that an extension may know, and the one file beside them. */
const FOR_EXTENSIONS = ["waiting", "message", "log", "service", "telemetry", "hosting"].map((folder) =>
  `runtime/${folder}/`
);
const FOR_SETTINGS = "runtime/config/section.ts";

const MOST_FILES = 14;

/** Sentences for what is wrong; none is right. */
function complaints(judge: (file: SourceFile) => Iterable<string>): string[] {
  return FILES.flatMap((file) => [...judge(file)].map((complaint) => `${file.path} ${complaint}`));
}

function isAmong(path: string, places: readonly string[]): boolean {
  return places.some((place) => place.endsWith("/") ? path.startsWith(place) : path === place);
}

/** The extension that a file belongs to; undefined for the composition, and for what may import everything. */
function extensionOf(path: string): string | undefined {
  const name = /^extensions\/([^/]+)\//.exec(path)?.[1];
  return name === "cli" || path.startsWith(TESTING) ? undefined : name;
}

/** The path of a file of the runtime, from there; undefined for others. */
function inRuntime(path: string): string | undefined {
  return path.startsWith("runtime/") && path.split("/").length > 2
    ? path.slice("runtime/".length)
    : undefined;
}

Deno.test("a folder of runtime/ imports what its row in the floor plan allows, and no extension", () => {
  deepStrictEqual(
    complaints(({ path, imports }) => {
      const file = inRuntime(path);
      if (file === undefined) return [];
      return imports.filter(({ target, typeOnly }) => {
        if (/^(?:npm|node):/.test(target)) return false;
        const there = inRuntime(target);
        return there === undefined || !mayImport(file, there, typeOnly);
      }).map(({ target }) => `imports ${target}`);
    }),
    [],
  );
});

Deno.test("the floor plan has a row for each folder of runtime/, and imports only what stands above", () => {
  const folders = new Set(FILES.flatMap(({ path }) => inRuntime(path)?.split("/")[0] ?? []));
  deepStrictEqual(FLOORS.map(({ folder }) => folder).sort(), [...folders].sort());
  for (const [index, { folder, permits = [] }] of FLOORS.entries()) {
    const above = FLOORS.slice(0, index).map((floor) => floor.folder);
    for (const { target } of permits) {
      ok(above.includes(target.split("/")[0]!), `${folder} may import ${target}, which stands below it`);
    }
  }
});

Deno.test("the floor plan names files that exist, on one page", () => {
  const named = [...FLOOR_PLAN.matchAll(/[\w/]+\/\w+\.ts\b/g)].map(([path]) => path);
  const missing = named.filter((path) => !SOURCES.has(path) && !SOURCES.has(`runtime/${path}`));
  deepStrictEqual(missing.filter((path) => !path.startsWith("tests/")), []);
  ok(FLOOR_PLAN.split("\n").length <= 81, "runtime/README.md has more than 80 lines");
});

Deno.test("the page about extensions names each of them, and files that exist", () => {
  const page = readFileSync(new URL("../extensions/README.md", import.meta.url), "utf8");
  const folders = new Set(FILES.flatMap(({ path }) => /^extensions\/(\w+)\//.exec(path)?.[1] ?? []));
  const rows = [...page.matchAll(/^\| `(\w+)\/`/gm)].map(([, folder]) => folder!);
  deepStrictEqual(rows.sort(), [...folders].sort());
  const named = [...page.matchAll(/`([\w/]+\.ts)`/g)].map(([, path]) => path!);
  const exists = (path: string) =>
    FILES.some((file) =>
      file.path === path || file.path === `extensions/${path}` || file.path.endsWith(`/${path}`)
    );
  deepStrictEqual(named.filter((path) => !path.startsWith("tests/") && !exists(path)), []);
});

Deno.test("a folder of runtime/ has few files, and runtime/ few folders", () => {
  const counts = new Map<string, number>();
  for (const { path } of FILES) {
    if (!path.startsWith("runtime/")) continue;
    const folder = path.slice(0, path.lastIndexOf("/"));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  deepStrictEqual([...counts].filter(([, count]) => count > MOST_FILES), []);
  const entries = [...Deno.readDirSync(new URL("../runtime/", import.meta.url))];
  ok(entries.length <= 17, `runtime/ has ${entries.length} entries`);
});

Deno.test("a folder of runtime/ with more than six files says in a header what it is for", () => {
  const folders = Map.groupBy(
    FILES.filter(({ path }) => inRuntime(path) !== undefined),
    ({ path }) => path.slice(0, path.lastIndexOf("/")),
  );
  const isExplained = (files: readonly SourceFile[]) =>
    files.some(({ text }) => /^\/\*\*\n \* This folder /.test(text));
  const silent = [...folders].filter(([, files]) => files.length > 6 && !isExplained(files));
  deepStrictEqual(silent.map(([folder]) => folder), []);
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

Deno.test("an extension knows no other extension, nothing above it, and of runtime/ what a stranger has too", () => {
  deepStrictEqual(
    complaints(({ path, imports }) => {
      const own = extensionOf(path);
      if (own === undefined) return [];
      return imports
        .filter(({ target }) => target.includes("/") && !/^(?:npm|node):/.test(target))
        .filter(({ target }) => ![own, ...BUILT_ON[own] ?? []].includes(extensionOf(target) ?? ""))
        .filter(({ target }) => target !== FOR_SETTINGS && !isAmong(target, FOR_EXTENSIONS))
        .map(({ target }) => `imports ${target}`);
    }),
    [],
  );
});

Deno.test("mod.ts knows what authors use: the folders of both sides, and the author halves of extensions", () => {
  const allowed = ["service", "message", "log", "waiting"].map((folder) => `runtime/${folder}/`);
  const imports = SOURCES.get("mod.ts")?.imports ?? [];
  deepStrictEqual(
    imports.map(({ target }) => target).filter((target) =>
      !isAmong(target, allowed) && !/^extensions\/\w+\/mod\.ts$/.test(target)
    ),
    [],
  );
});

Deno.test("nothing of an extension is loaded before something is served, called or sent that uses it", () => {
  const loaded = ["extensions/run.ts", "extensions/serve.ts", "extensions/wiring.ts", "cli.ts"].flatMap((
    path,
  ) => [...loadedWith(path)]);
  deepStrictEqual(loaded.filter((path) => extensionOf(path) !== undefined), []);
});

/** What only some starts use: kinds of threads that nobody gets by default, changes of code, flags of Deno. */
const LOADED_WHEN_USED = [
  "runtime/channel/frames/",
  "runtime/module/graph.ts",
  "runtime/serving/file_watch.ts",
  "runtime/serving/reload.ts",
  "runtime/serving/reload_on_change.ts",
  "runtime/spawning/inline_threads.ts",
  "runtime/spawning/process/process_threads.ts",
  "runtime/spawning/web_threads.ts",
  "extensions/cli/restart.ts",
];

Deno.test("the start of an application loads what only some starts use when it is one of them", () => {
  for (const place of LOADED_WHEN_USED) ok(FILES.some(({ path }) => isAmong(path, [place])), `no ${place}`);
  const loaded = ["extensions/cli/application.ts", "extensions/serve.ts"].flatMap((
    path,
  ) => [...loadedWith(path)]);
  deepStrictEqual(loaded.filter((path) => isAmong(path, LOADED_WHEN_USED)), []);
});

Deno.test("a module begins before the code is loaded that runs its calls or connects its service", () => {
  const begins = loadedWith("extensions/cli/commands/run.ts");
  ok(begins.has("runtime/serving/loading/begun_module.ts"), "run does not begin the first module");
  const late = [
    "runtime/pool/pool.ts",
    "runtime/serving/container.ts",
    "extensions/serve.ts",
    "extensions/wiring.ts",
  ];
  deepStrictEqual(late.filter((path) => begins.has(path)), []);
});

/** What each program and each binary carries. What is large and not for all belongs behind an optional door. */
const CARRIED_PACKAGES: readonly string[] = [
  "@babel/parser",
  "@import-maps/resolve",
  "@jridgewell/trace-mapping",
  "@logtape/logtape",
  "@msgpack/msgpack",
  "@opentelemetry/api",
  "acorn",
  "amqplib",
  "commander",
  "croner",
  "esbuild-wasm",
  "hono",
  "hot-shots",
  "jsonc-parser",
  "leven",
  "seek-bzip",
  "yaml",
];

Deno.test("a program carries the packages that are listed here, and what is behind no optional door", () => {
  const doors = Object.entries(OWN_PACKAGE.exports).filter(([door]) => !OPTIONAL_DOORS.includes(door));
  const paths = ["cli.ts", THREAD_ENTRY, ...doors.map(([, path]) => path.slice("./".length))];
  const reached = new Set(paths.flatMap((path) => [...reachableFrom(path)]));
  const packages = new Set([...reached].flatMap((target) => packageOf(target) ?? []));
  deepStrictEqual([...packages].sort(), CARRIED_PACKAGES);
});

Deno.test("only the door of an optional extension leads to it, and it leads to the half in the main thread", () => {
  for (const door of OPTIONAL_DOORS) {
    const path = OWN_PACKAGE.exports[door]!.slice("./".length);
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    ok(reachableFrom(path).has(`${folder}host.ts`), `${path} does not lead to ${folder}host.ts`);
    ok(!loadedWith(path).has(`${folder}host.ts`), `${path} loads ${folder}host.ts`);
    deepStrictEqual(
      complaints(({ path, imports }) =>
        path.startsWith(folder) || isOptionalOn(extensionOf(path), extensionOf(folder)!)
          ? []
          : imports.filter(({ target, typeOnly }) => !typeOnly && target.startsWith(folder))
            .map(({ target }) => `imports ${target}`)
      ),
      [],
    );
  }
});

/** Whether an extension is optional itself and built on another one, so that its own door leads to that. */
function isOptionalOn(own: string | undefined, other: string): boolean {
  if (own === undefined || BUILT_ON[own]?.includes(other) !== true) return false;
  return OPTIONAL_DOORS.some((door) => OWN_PACKAGE.exports[door]!.startsWith(`./extensions/${own}/`));
}

function packageOf(target: string): string | undefined {
  return /^npm:\/?((?:@[^/]+\/)?[^@/]+)/.exec(target)?.[1];
}

Deno.test("the import map's packages are behind one file each", () => {
  const importers = new Map<string, Set<string>>();
  for (const { path, imports } of FILES) {
    for (const { target } of imports) {
      const name = packageOf(target);
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

Deno.test("imports make no cycles, those of types included", () => {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
    if (done.has(path)) return;
    done.add(path);
    for (const { target } of SOURCES.get(path)?.imports ?? []) visit(target, [...trail, path]);
  };
  for (const { path } of FILES) visit(path, []);
  deepStrictEqual(cycles, []);
});

// A test that starts services loads what serves them, and only then.
for (const [door, loaded] of [["mod.ts", reachableFrom], [`${TESTING}mod.ts`, loadedWith]] as const) {
  Deno.test(`nothing that ${door} loads opens a socket, spawns a thread or ends the process`, () => {
    const forbidden = /^(?:exit|listen\w*|connect\w*|serve|Command|stdin|stdout|stderr|addSignalListener)$/;
    const found: string[] = [];
    for (const path of loaded(door)) {
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
        !(file.path === "runtime/thread/main.ts" && member === "exit") &&
        // Their listeners hear nothing: they keep Deno from hearing.
        !(/^runtime\/(?:permissions\/debugger_signal|spawning\/process\/child)\.ts$/.test(file.path) &&
          member.endsWith("SignalListener"))
      );
      return members.map((member) => `uses Deno.${member}`);
    }),
    [],
  );
});

Deno.test("only some places start processes, listen, or hear signals", () => {
  deepStrictEqual(
    complaints((file) => {
      if (isAmong(file.path, PROCESS)) return [];
      const members = [...denoMembersOf(file)].filter((member) =>
        /^(?:Command|listen\w*|serve|connect\w*|addSignalListener)$/.test(member)
      );
      const built = file.imports.filter(({ target, typeOnly }) =>
        !typeOnly && /^node:(?:net|tls|http2?|https|dgram|child_process|cluster)$/.test(target)
      );
      return [
        ...members.map((member) => `uses Deno.${member}`),
        ...built.map(({ target }) => `imports ${target}`),
      ];
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

/** What both sides load, beside the floors of which that is said. */
const ON_BOTH_SIDES = ["waiting", "message", "log", "service", "channel"].map((folder) =>
  `runtime/${folder}/`
);
const FILES_ON_BOTH_SIDES = [
  "runtime/config/place.ts",
  "runtime/module/bundle/bundle_import.ts",
  "runtime/module/bundle/source_map.ts",
  "runtime/telemetry/trace.ts",
  "runtime/telemetry/otel/",
];

Deno.test("a thread loads its own folder and those of both sides, and no extension by itself", () => {
  const allowed = [...ON_BOTH_SIDES, ...FILES_ON_BOTH_SIDES, "runtime/thread/"];
  deepStrictEqual(
    [...reachableFrom(THREAD_ENTRY)].filter((path) => SOURCES.has(path) && !isAmong(path, allowed)),
    [],
  );
});

Deno.test("main loads nothing of the threads, but for the inline threads, which it is itself", () => {
  const exempt = [
    "runtime/thread/",
    "runtime/spawning/inline_threads.ts",
    TESTING,
  ];
  deepStrictEqual(
    complaints(({ path, imports }) =>
      isAmong(path, exempt)
        ? []
        : imports.filter(({ target, typeOnly }) => !typeOnly && target.startsWith("runtime/thread/"))
          .map(({ target }) => `loads ${target}`)
    ),
    [],
  );
});

/** Members of `Deno` that touch nothing outside. */
const PURE_MEMBERS = ["inspect", "version", "unrefTimer"];

/** Built-in modules that touch nothing outside. */
const PURE_BUILT_INS = ["node:buffer", "node:util"];

Deno.test("what both sides load does no I/O", () => {
  const inThreads = reachableFrom(THREAD_ENTRY);
  const found: string[] = [];
  for (const path of reachableFrom("runtime/serving/service_set.ts")) {
    const file = SOURCES.get(path);
    if (file === undefined || !inThreads.has(path) || path.startsWith("runtime/thread/")) continue;
    for (const member of denoMembersOf(file)) {
      if (!PURE_MEMBERS.includes(member)) found.push(`${path} uses Deno.${member}`);
    }
    for (const { target } of file.imports) {
      if (target.startsWith("node:") && !PURE_BUILT_INS.includes(target)) {
        found.push(`${path} imports ${target}`);
      }
    }
  }
  deepStrictEqual(found, []);
});
