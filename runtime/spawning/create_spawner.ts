import { ServiceLoadError } from "../message/errors.ts";
import type { ComingThreadModule } from "../channel/port.ts";
import { given } from "../message/plain.ts";
import type { PreparedModule } from "../module/prepare.ts";
import { preventPermissionPrompts } from "../permissions/permission_prompts.ts";
import { grantError, type ServicePermissions, threadPermissions } from "../permissions/permissions.ts";
import { requireOwnGrant } from "../permissions/own_grant.ts";
import { permittedVariables } from "../permissions/variables.ts";
import { requireWorkerOptions } from "../permissions/worker_options.ts";
import type { Clock } from "../waiting/clock.ts";
import { requireProcesses } from "./isolation.ts";
import { NodeThreads } from "./node_threads.ts";
import { type ProcessLimits, processLimits } from "./process/process_limits.ts";
import type { ThreadKind, ThreadSpawner } from "./spawner.ts";
import { WardenThreads } from "./warden_threads.ts";

/** Permissions, kind and limits of a service's threads. Those of {@linkcode ProcessLimits} are for kind "process" alone. */
export interface ThreadPlan extends ProcessLimits {
  /** What the service may do. */
  readonly permissions: ServicePermissions;
  /**
   * Kind of the threads.
   *
   * @default {"node" with permissions "all", else "warden"}
   */
  readonly kind?: ThreadKind;
  /**
   * Mebibytes of JavaScript heap for each thread. Typed arrays do not count, and web and inline threads
   * cannot be limited. Only the thread that needs more ends; without a limit, the whole process would end.
   *
   * @default {1024}
   */
  readonly heapLimit?: number;
  /**
   * Environment variables of the service's own, in `process.env` and `Deno.env`. They win over those of the
   * process. Inline threads have none.
   *
   * @default {no variables}
   */
  readonly env?: Readonly<Record<string, string>>;
}

/** Mebibytes of the heap of a thread of which nobody says how large it may be. */
export const DEFAULT_HEAP_LIMIT = 1_024;

/** A module that threads can load now, or as soon as its source is prepared. */
export interface ComingModule extends Omit<PreparedModule, "source"> {
  readonly source: ComingThreadModule;
}

/**
 * Makes the spawner for a module's threads. The code of a kind that is nobody's default loads when it is wanted.
 *
 * @param clock The clock that inline threads go by. Other threads go by that of the machine.
 * @throws {ServiceLoadError} If this process cannot find out which permissions restricted threads need.
 * @throws {ConfigurationError} If Deno was started without its option for restricted threads, or cannot give
 * the threads their permissions.
 */
export async function createSpawner(
  { url, source, needs }: ComingModule,
  name: string,
  {
    permissions,
    kind = permissions === "all" ? "node" : "warden",
    heapLimit = DEFAULT_HEAP_LIMIT,
    env,
    ...plan
  }: ThreadPlan,
  clock?: Clock,
): Promise<ThreadSpawner> {
  if (kind === "inline") {
    const { InlineThreads } = await import("./inline_threads.ts");
    return new InlineThreads(source, { clock });
  }
  if (kind === "node") return new NodeThreads(source, { heapLimit, ...given({ env }) });
  if (kind !== "process") {
    requireWorkerOptions();
    preventPermissionPrompts();
  }
  if (permissions !== "all" && needs === undefined) {
    throw new ServiceLoadError(
      `Cannot load module ${url} with restricted permissions: only deno info knows what it ` +
        "needs, and this process may not run deno. Pass --allow-run",
    );
  }
  const rights = permissions === "all" ? undefined : {
    packages: needs!.packages,
    workers: permissions !== "none" && permissions.workers === true,
    variables: permittedVariables(permissions),
  };
  const grant = given({ rights, env });
  if (kind === "process") {
    const [{ furtherFolders, processCommand }, { ProcessThreads }] = await Promise.all([
      import("./process/process_command.ts"),
      import("./process/process_threads.ts"),
    ]);
    const limits = processLimits(plan);
    requireProcesses(limits);
    requireOwnGrant(permissions, name);
    const { openFilesLimit } = limits;
    const command = (socket: string) => processCommand({ permissions, needs, env, openFilesLimit }, socket);
    return new ProcessThreads(source, {
      command,
      furtherFolders: furtherFolders(permissions),
      heapLimit,
      limits,
      ...grant,
    });
  }
  const allowed = permissions === "all" ? "inherit" : threadPermissions(permissions, needs!);
  if (kind === "web") {
    const { WebThreads } = await import("./web_threads.ts");
    return new WebThreads(source, { permissions: allowed, ...grant });
  }
  try {
    return new WardenThreads(source, { name, permissions: allowed, heapLimit, ...grant });
  } catch (error) {
    throw grantError(error, name);
  }
}
