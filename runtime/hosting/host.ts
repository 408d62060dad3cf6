/** What an entrypoint kind's main-thread half is made of and may use. */
import type { Cancellation } from "../waiting/cancellation.ts";
import type { Invocation } from "../channel/port.ts";
import type { Log } from "../log/log.ts";
import type { ManifestDependency, ManifestEntrypoint } from "../service/manifest.ts";
import type { Outcome } from "../message/outcome.ts";
import type { PlainRecord } from "../message/plain.ts";
import type { Transport } from "../message/transport.ts";

/** An entrypoint with its place in the manifest, which is how calls name it. */
export interface HostedEntrypoint extends ManifestEntrypoint {
  readonly index: number;
}

/** What an entrypoint may use of its container. */
export interface EntrypointHost {
  readonly service: string;
  readonly transport: Transport;
  readonly config: PlainRecord;
  readonly log: Log;
  /** Aborted when the container must stop at once. */
  readonly signal: AbortSignal;
  /** How many calls the container can make use of at once; a consumer prefetches so many. */
  readonly demand: number;
  /** Calls `listener` when the demand changes. */
  onDemand(listener: (demand: number) => void): void;
  /** Runs the handler; never rejects. A call that is cancelled is told, if it runs. */
  run(invocation: Invocation, cancellation?: Cancellation): Promise<Outcome>;
  /** Gives back the calls that wait for a thread, as unstarted. */
  shed(): void;
  /** Watches a task in the background: if it rejects, the container fails. */
  watch(task: Promise<unknown>): void;
}

/**
 * The live half of all entrypoints of one kind in one service.
 *
 * `setup` of all kinds comes before `start` of any. `stop` ends the intake; what was taken in is still run and
 * answered. Disposal waits for these answers.
 */
export interface Entrypoint extends AsyncDisposable {
  /** Acquires what it needs. */
  setup?(): Promise<void>;
  /** Begins to let work in. */
  start(): Promise<void>;
  /**
   * Lets no more work in.
   *
   * @param options.replaced Whether a newer version of the service goes on, so that what both share stays open.
   */
  stop(options?: { readonly replaced?: boolean }): Promise<void>;
}

/** Makes the live half of a kind of entrypoint, from its entries in the manifest. */
export type EntrypointFactory = (entries: readonly HostedEntrypoint[], host: EntrypointHost) => Entrypoint;

/** Entrypoint kinds by name. */
export type EntrypointRegistry = Readonly<Record<string, EntrypointFactory>>;

/** What setting up a dependency may use of its container. */
export type DependencySetupHost = Pick<EntrypointHost, "service" | "transport" | "config" | "log">;

/** Sets up in the main thread what a kind of dependency needs, such as an exchange; before any entrypoint. */
export type DependencySetup = (dependency: ManifestDependency, host: DependencySetupHost) => Promise<void>;

/** Dependency kinds by name. */
export type DependencyRegistry = Readonly<Record<string, DependencySetup>>;
