import { ServiceLoadError } from "../message/errors.ts";
import type { ComingThreadModule } from "../channel/port.ts";
import type { PreparedModule } from "../module/prepare.ts";
import { preventPermissionPrompts } from "../permissions/permission_prompts.ts";
import { grantError, type ServicePermissions, threadPermissions } from "../permissions/permissions.ts";
import { requireWorkerOptions } from "../permissions/worker_options.ts";
import { InlineThreads } from "./inline_threads.ts";
import { NodeThreads } from "./node_threads.ts";
import type { ThreadKind, ThreadSpawner } from "./spawner.ts";
import { WardenThreads } from "./warden_threads.ts";
import { WebThreads } from "./web_threads.ts";

/** How the threads of a service are to be. */
export interface ThreadPlan {
  readonly permissions: ServicePermissions;
  /**
   * Kind of the threads.
   *
   * @default {"node" with permissions "all", else "warden"}
   */
  readonly kind?: ThreadKind;
  /**
   * Mebibytes of JavaScript heap for each thread; typed arrays do not count, and web and inline threads cannot be
   * limited. A thread that needs more is ended, and no other; without a limit the whole process would be.
   *
   * @default {1024}
   */
  readonly heapLimit?: number;
}

/** A module that is ready to be loaded, or will be. */
export interface ComingModule extends Omit<PreparedModule, "source"> {
  readonly source: ComingThreadModule;
}

/**
 * Makes the spawner for a module's threads.
 *
 * @throws {ServiceLoadError} If this process cannot find out what restricted threads must be allowed.
 * @throws {ConfigurationError} If Deno was started without its option for restricted threads, or cannot give them
 * their permissions.
 */
export function createSpawner(
  { url, source, needs }: ComingModule,
  name: string,
  { permissions, kind = permissions === "all" ? "node" : "warden", heapLimit = 1_024 }: ThreadPlan,
): ThreadSpawner {
  if (kind === "inline") return new InlineThreads(source);
  if (kind === "node") return new NodeThreads(source, { heapLimit });
  requireWorkerOptions();
  preventPermissionPrompts();
  if (permissions === "all") {
    return kind === "web"
      ? new WebThreads(source, { permissions: "inherit" })
      : new WardenThreads(source, { name, permissions: "inherit", heapLimit });
  }
  if (needs === undefined) {
    throw new ServiceLoadError(
      `Cannot load service module ${url} with restricted permissions: what it needs is told by deno info, which ` +
        "this process may not run. Pass --allow-run",
    );
  }
  const allowed = threadPermissions(permissions, needs);
  if (kind === "web") return new WebThreads(source, { permissions: allowed });
  try {
    return new WardenThreads(source, { name, permissions: allowed, heapLimit });
  } catch (error) {
    throw grantError(error, name);
  }
}
