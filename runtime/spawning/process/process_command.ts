/**
 * Says how the process of a service is started: its program, its permissions, its environment, and how many files it
 * may have open.
 */
import { join } from "node:path";
import { given } from "../../message/plain.ts";
import { type ServicePermissions, threadPermissions } from "../../permissions/permissions.ts";
import { INTERRUPTIBLE_LOOPS_FLAG } from "../../permissions/interruptible_loops.ts";
import { hasUnixHosts } from "../../permissions/unix_hosts.ts";
import { permittedVariables } from "../../permissions/variables.ts";
import { WORKER_OPTIONS_FLAG } from "../../permissions/worker_options.ts";
import type { LoadNeeds } from "../../program/own_modules.ts";
import { engineFlags, programFlags } from "../../program/program_config.ts";
import { SERVICE_WORD } from "./own_binary.ts";
import { SHELL } from "./process_limits.ts";

/** What the process of a service is started with. */
export interface ProcessCommand {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Permissions that the process gives to its threads. @default {all that it has} */
  readonly sandbox?: Deno.PermissionOptionsObject;
}

/** What a service may do, and what it needs to be loaded. */
export interface ProcessRights {
  readonly permissions: ServicePermissions;
  /** Absent with all permissions. */
  readonly needs?: LoadNeeds | undefined;
  /** Environment variables of the service's own. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Files that the process may have open at a time. @default {no limit of its own} */
  readonly openFilesLimit?: number | undefined;
}

/**
 * Variables that Deno itself and the C library read, and that change nothing of what a service may do. Without `PATH`,
 * Deno finds none of the programs that a service may run, and does not say of the others that they are not permitted.
 */
const SYSTEM_VARIABLES =
  /^(?:DENO_DIR|PATH|HOME|XDG_CACHE_HOME|LANG|LC_\w+|TZ|TMPDIR|SSL_CERT_\w+|DENO_CERT|DENO_TLS_CA_STORE|JSR_URL|NPM_CONFIG_REGISTRY|(?:HTTPS?|ALL|NO)_PROXY|OTEL_\w+)$/i;

/** Characters in the list of a flag, each of up to three bytes. Linux takes 128 KiB in an argument. */
const LONGEST_LIST = 40_000;

/** Variables that shells set for what they start. */
const SHELL_VARIABLES = ["PWD", "OLDPWD", "SHLVL"];

const NO_NEEDS = { read: [], import: [] };

const MAIN = import.meta.resolve("./main.ts");

/**
 * Returns the command of a service's process.
 *
 * @param socket Path of the socket at which the main thread waits for the process.
 */
export function processCommand(
  { permissions, needs, env = {}, openFilesLimit }: ProcessRights,
  socket: string,
): ProcessCommand {
  const sandbox = permissions === "all" ? undefined : threadPermissions(permissions, needs ?? NO_NEEDS);
  const program = { path: Deno.execPath(), env: { ...environment(permissions), ...env } };
  const command = Deno.build.standalone
    ? { ...program, args: [SERVICE_WORD], ...given({ sandbox }) }
    : hasFlags(sandbox)
    ? { ...program, args: denoArguments(permissions, sandbox, socket) }
    : {
      ...program,
      args: denoArguments(permissions, { ...sandbox, sys: true }, socket),
      ...given({ sandbox }),
    };
  return openFilesLimit === undefined ? command : withOpenFiles(command, openFilesLimit);
}

/**
 * Returns where else than in the folder for temporary files the socket of a service's process can be made. A container
 * with a file system of only reading has shared memory, at least. But Deno lets no process in there that is restricted,
 * as the process of a restricted service is under `deno run`, and not in a binary.
 */
export function furtherFolders(permissions: ServicePermissions): readonly string[] {
  const isRestricted = permissions !== "all" && !Deno.build.standalone;
  return Deno.build.os !== "linux" || isRestricted ? [] : ["/dev/shm"];
}

/**
 * Whether Deno takes permissions as flags. It takes no flag for its inspector alone, so a process with that may ask for
 * all facts about the system, and gives its threads fewer.
 */
function hasFlags(sandbox: Deno.PermissionOptionsObject | undefined): boolean {
  return !(Array.isArray(sandbox?.sys) && (sandbox.sys as readonly string[]).includes("inspector"));
}

function denoArguments(
  permissions: ServicePermissions,
  sandbox: Deno.PermissionOptionsObject | undefined,
  socket: string,
): readonly string[] {
  return [
    ...["run", "--quiet", "--no-prompt", ...(mayImport(permissions) ? [] : ["--cached-only"])],
    ...programFlags(),
    ...flagsOfV8(withWorkerOptions(engineFlags())),
    ...(sandbox === undefined ? ["-A"] : permissionFlags(sandbox, socket)),
    MAIN,
  ];
}

/** Whether a service may import code that Deno has to fetch. */
function mayImport(permissions: ServicePermissions): boolean {
  if (typeof permissions === "string") return permissions === "all";
  const { import: hosts = false } = permissions;
  return typeof hosts === "boolean" ? hosts : hosts.length > 0;
}

/**
 * Makes a command whose process may have only so many files open. A shell sets the limit, and then becomes the process,
 * which so has the id of what was started. The limit is the hard one, too, to which Deno raises the soft one.
 */
function withOpenFiles({ path, args, ...command }: ProcessCommand, limit: number): ProcessCommand {
  const foreign = SHELL_VARIABLES.filter((name) => !Object.hasOwn(command.env, name)).join(" ");
  const refusal =
    `Cannot allow $1 open files: the hard limit is $(ulimit -Hn). Lower open_files_limit, or raise ` +
    "the hard limit";
  const script = `unset ${foreign}; ulimit -n "$1" 2>/dev/null || { echo "${refusal}" >&2; exit 1; }; ` +
    `shift; exec "$@"`;
  // The first argument after the script is what the shell calls itself in its messages.
  return {
    ...command,
    path: SHELL,
    args: ["-c", script, "open_files_limit", `${limit}`, path, ...args],
  };
}

/** Adds the flag without which a thread with fewer permissions would end the process. */
function withWorkerOptions(given: readonly string[]): readonly string[] {
  return given.includes(WORKER_OPTIONS_FLAG) ? given : [...given, WORKER_OPTIONS_FLAG];
}

/** Adds the flag with which every loop can be interrupted. Deno takes flags for V8 once. */
function flagsOfV8(given: readonly string[]): readonly string[] {
  const prefix = "--v8-flags=";
  const own = given.filter((flag) => flag.startsWith(prefix)).map((flag) => flag.slice(prefix.length));
  return [
    ...given.filter((flag) => !flag.startsWith(prefix)),
    [INTERRUPTIBLE_LOOPS_FLAG, ...own.filter((flag) => !INTERRUPTIBLE_LOOPS_FLAG.endsWith(flag))].join(),
  ];
}

function permissionFlags(allowed: Deno.PermissionOptionsObject, socket: string): readonly string[] {
  const withSocket = {
    ...allowed,
    ...(hasUnixHosts() && { net: withItem(allowed.net, `unix:${socket}`) }),
    read: withItem(allowed.read, socket),
    write: withItem(allowed.write, socket),
  };
  const flags = Object.entries(withSocket).flatMap(([name, grant]) => {
    if (grant === true) return [`--allow-${name}`];
    if (!Array.isArray(grant) || grant.length === 0) {
      // Without a flag, Deno allows imports from some hosts.
      return name === "import" ? ["--deny-import"] : [];
    }
    return shortLists(grant.map((item) => `${item}`.replaceAll(",", ",,")))
      .map((items) => `--allow-${name}=${items}`);
  });
  const cache = denoFolder();
  // Whoever may write there decides what Deno runs the next time.
  return cache === undefined ? flags : [...flags, `--deny-write=${cache.replaceAll(",", ",,")}`];
}

/** Joins items to as many lists as there must be. Deno takes a flag of permissions more than once. */
function shortLists(items: readonly string[]): readonly string[] {
  const lists: string[] = [];
  for (const item of items) {
    const last = lists.at(-1);
    if (last === undefined || last.length + item.length > LONGEST_LIST) lists.push(item);
    else lists[lists.length - 1] = `${last},${item}`;
  }
  return lists;
}

function withItem(grant: unknown, item: string): unknown {
  if (grant === true) return true;
  return Array.isArray(grant) ? [...grant, item] : [item];
}

/** The folder in which Deno keeps what it has downloaded. */
function denoFolder(): string | undefined {
  const { DENO_DIR, XDG_CACHE_HOME, HOME } = Deno.env.toObject();
  if (DENO_DIR) return DENO_DIR;
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, "deno");
  if (!HOME) return undefined;
  return Deno.build.os === "darwin" ? join(HOME, "Library/Caches/deno") : join(HOME, ".cache/deno");
}

/** Returns the variables of this process that the process of a service gets. */
function environment(permissions: ServicePermissions): Record<string, string> {
  const all = Deno.env.toObject();
  if (permissions === "all" || (permissions !== "none" && permissions.env === true)) return all;
  const permitted = new Set(permittedVariables(permissions));
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => permitted.has(name) || SYSTEM_VARIABLES.test(name)),
  );
}
