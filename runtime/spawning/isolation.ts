/** Says what walls the threads of a service off, and whether this program can start processes for services. */
import { ConfigurationError } from "../message/errors.ts";
import { isGranted, mayRun, partlyDenied } from "../permissions/own_grant.ts";
import type { ServicePermissions } from "../permissions/permissions.ts";
import { hasUnixHosts } from "../permissions/unix_hosts.ts";
import { isDebugged } from "../program/debugger.ts";
import { canStartItself } from "./process/own_binary.ts";
import { type ProcessLimits, SHELL } from "./process/process_limits.ts";
import { residentOf } from "./process/process_usage.ts";

/** What walls a service off from others: nothing but its threads, or a process of its own. */
export type Isolation = "threads" | "process";

/**
 * Returns what walls a service off: what its settings say, or else what its permissions ask for. A service with all
 * permissions can do what the main thread can, so a process of its own would be no wall. Deno's debugger reaches all
 * threads of this process, and no other process.
 */
export function isolationOf(
  { isolation, permissions }: {
    readonly isolation?: Isolation | undefined;
    readonly permissions: ServicePermissions;
  },
): Isolation {
  if (isolation !== undefined) return isolation;
  return permissions === "all" || isDebugged() || processObstacle() !== undefined ? "threads" : "process";
}

/**
 * Checks that this program can start processes for services.
 *
 * @throws {ConfigurationError} If it cannot.
 */
export function requireProcesses(limits?: ProcessLimits): void {
  const reason = processObstacle(limits);
  if (reason === undefined) return;
  throw new ConfigurationError(
    `Cannot give a service a process of its own: ${reason}. Use isolation: threads, or enoki run with deno and -A`,
  );
}

/** Says why this program can start no processes with these limits; undefined if it can. */
export function processObstacle(
  { openFilesLimit, memoryLimit, cpuLimit, taskLimit }: ProcessLimits = {},
): string | undefined {
  const { standalone, os } = Deno.build;
  if (standalone && !canStartItself()) return "this binary was not made by enoki compile";
  if (os === "windows") return "Deno has no Unix sockets on Windows";
  const denied = partlyDenied();
  if (denied !== undefined) {
    return `Deno denies this program a part of "${denied}", which a process would get`;
  }
  if (!mayRun(Deno.execPath())) return `this program may not run ${standalone ? "itself" : "deno"}`;
  const lacking = lackingFlags();
  if (lacking.length > 0) return `this program has no ${lacking.join(", ")}, which that takes`;
  if (openFilesLimit !== undefined && !mayRun(SHELL)) {
    return `this program may not run ${SHELL}, which open_files_limit needs`;
  }
  const isWatched = (memoryLimit ?? cpuLimit ?? taskLimit) !== undefined;
  if (isWatched && os === "linux" && residentOf(Deno.pid) === undefined) {
    return "this program may not read /proc/PID, which memory_limit, cpu_limit and task_limit need";
  }
  return undefined;
}

/** Names what this program would have to have, and has not, to make a socket for a process and choose its variables. */
function lackingFlags(): readonly string[] {
  const hasVariables = isGranted({ name: "env" });
  const path = (hasVariables && Deno.env.get("TMPDIR")) || "/tmp";
  return [
    ...(hasVariables ? [] : ["--allow-env"]),
    ...(isGranted({ name: "net" }) || !hasUnixHosts() ? [] : ["--allow-net"]),
    ...(["read", "write"] as const).filter((name) => !isGranted({ name, path }))
      .map((name) => `--allow-${name}=${path}`),
  ];
}
