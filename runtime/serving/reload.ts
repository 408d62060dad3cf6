/**
 * Changes a module's services to their new version.
 *
 * Invariant: a service is served without a break. The former version is not touched until the whole new
 * version of the module is ready. Then all services change over in one turn of the event loop. From then on,
 * the former version gets no new calls and finishes the calls that it has. If the entrypoints of a service
 * have remained the same, their hosts remain, too, and only the threads change: consumers, timers and rules
 * do not notice. Otherwise, a second container starts beside the first one, as another instance of the
 * service would, and the first one stops politely. If a step fails before the change, everything is undone,
 * and the former version goes on. So the former version must not depend on the files any more: its pools are
 * frozen.
 */
import { abortable, timeLimit } from "../waiting/abort.ts";
import { ServiceLoadError } from "../message/errors.ts";
import type { Launched, Launcher } from "./launcher.ts";
import type { LoadedModule } from "./loading/loader.ts";
import type { Manifest } from "../service/manifest.ts";
import { type ModuleSpecifier, sameModule } from "../module/specifier.ts";
import { sameEntrypoints } from "../service/same_entrypoints.ts";

/**
 * The change of one service to its new version. The caller prepares the change, then makes or abandons it.
 */
export interface Change {
  readonly name: string;
  /** Sets up everything that the new version needs. */
  prepare(): Promise<void>;
  /** Makes the change in this turn of the event loop. Returns the service with its container from then on. */
  make(): Launched;
  /** Gives the new version up. It finishes the calls that it has taken in, unless `signal` aborts. */
  abandon(signal: AbortSignal): Promise<void>;
}

/** Options of {@linkcode prepareReload}. */
export interface PrepareReloadOptions {
  /** Aborting gives the change up. */
  readonly signal: AbortSignal;
  /** Aborting gives the change up by force, without waiting for its calls. */
  readonly force: AbortSignal;
}

/**
 * Loads a module anew and prepares the change of its services, but of those that are stopped.
 *
 * @param served All services, by name.
 * @throws {ServiceLoadError} If the module does not load, or lacks a service that is served from it.
 * @throws {BrokerError} If the broker refuses what a service declares.
 */
export async function prepareReload(
  specifier: ModuleSpecifier,
  served: ReadonlyMap<string, Launched>,
  launcher: Launcher,
  { signal, force }: PrepareReloadOptions,
): Promise<readonly Change[]> {
  for (const former of served.values()) {
    if (sameModule(former.specifier, specifier)) former.container.freeze();
  }
  const changes: Change[] = [];
  const loaded: LoadedModule[] = [];
  try {
    const module = await launcher.load(specifier, signal);
    loaded.push(module);
    requireServices(module, served);
    for (const { manifest } of module.services) {
      const former = served.get(manifest.name);
      if (former?.container.state === "stopped") continue;
      changes.push(await changeOf(module, manifest, former, launcher, signal));
    }
    await abortable(Promise.all(changes.map((change) => change.prepare())), signal);
    requireRunning(changes, served);
    return changes;
  } catch (error) {
    using limit = timeLimit(launcher.grace, force);
    await Promise.all(changes.map((change) => change.abandon(limit.signal)));
    throw error;
  } finally {
    await launcher.dropSpare(loaded);
  }
}

function requireServices({ specifier, services }: LoadedModule, served: ReadonlyMap<string, Launched>): void {
  const names = services.map(({ manifest }) => manifest.name);
  for (const [name, former] of served) {
    const isOurs = sameModule(former.specifier, specifier);
    if (isOurs && !names.includes(name) && former.container.state !== "stopped") {
      throw new ServiceLoadError(
        `Cannot serve module ${specifier.url}: it no longer exports service "${name}", which is served. ` +
          "Restart to serve what it exports now",
      );
    }
    if (!isOurs && names.includes(name)) {
      throw new ServiceLoadError(
        `Cannot serve two services named "${name}": ${former.specifier.url} and ${specifier.url} have one each`,
      );
    }
  }
}

/** Refuses the change if a service has failed meanwhile, because the runner then stops all services. */
function requireRunning(changes: readonly Change[], served: ReadonlyMap<string, Launched>): void {
  for (const { name } of changes) {
    const state = served.get(name)?.container.state ?? "running";
    if (state !== "running") throw new TypeError(`Cannot reload service "${name}": it is ${state}`);
  }
}

async function changeOf(
  module: LoadedModule,
  manifest: Manifest,
  former: Launched | undefined,
  launcher: Launcher,
  signal: AbortSignal,
): Promise<Change> {
  return former !== undefined && sameEntrypoints(manifest.entrypoints, former.container.manifest.entrypoints)
    ? await otherThreads(module, manifest, former, launcher, signal)
    : otherContainer(await launcher.launch(module, manifest, signal));
}

async function otherThreads(
  module: LoadedModule,
  manifest: Manifest,
  former: Launched,
  launcher: Launcher,
  signal: AbortSignal,
): Promise<Change> {
  const { container, messenger } = former;
  const onDemand = (demand: number) => container.changeDemand(demand);
  const watch = launcher.watch(manifest);
  const pool = await launcher.startPool(module, manifest, { messenger, watch, onDemand, signal });
  return {
    name: manifest.name,
    prepare: () => container.setUpDependencies(manifest),
    make() {
      container.moveTo({ manifest, pool });
      return { ...former, source: module.prepared.source };
    },
    abandon: (signal) => pool.shutdown({ signal }),
  };
}

function otherContainer(launched: Launched): Change {
  const { container } = launched;
  return {
    name: container.manifest.name,
    prepare: () => container.start({ beside: true }),
    make: () => launched,
    abandon: (signal) => container.shutdown({ signal, replaced: true }),
  };
}
