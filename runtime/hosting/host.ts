/** What an entrypoint kind's main-thread half is made of and may use. */
import type { Cancellation } from "../waiting/cancellation.ts";
import type { Invocation } from "../channel/port.ts";
import type { Payload } from "../service/entrypoint.ts";
import type { Log } from "../log/log.ts";
import type { Manifest, ManifestDependency, ManifestEntrypoint } from "../service/manifest.ts";
import type { Outcome } from "../message/outcome.ts";
import type { PlainRecord } from "../message/plain.ts";
import type { Transport } from "../message/transport.ts";

/** An entrypoint as the host of its kind has it. */
export interface HostedEntrypoint extends ManifestEntrypoint {
  /** Its place in the manifest, by which calls name it. */
  readonly index: number;
  /** Milliseconds that a call may run. */
  readonly timeout: number | undefined;
}

/** The entrypoints of a manifest, as hosts have them. */
export function hostedEntrypoints({ entrypoints }: Manifest): readonly HostedEntrypoint[] {
  return entrypoints.map((entry, index) => {
    const { timeout } = entry.options;
    return { ...entry, index, timeout: typeof timeout === "number" ? timeout : undefined };
  });
}

/** A call of an entrypoint, as the pool runs it. */
export function invocationOf(
  { index, timeout }: HostedEntrypoint,
  { body, contentType, headers, message }: Payload,
): Invocation {
  const invocation = { entrypoint: index, body, contentType, headers };
  if (message === undefined) return timeout === undefined ? invocation : { ...invocation, timeout };
  return timeout === undefined ? { ...invocation, message } : { ...invocation, message, timeout };
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
  /** Runs the handler of an entrypoint; never rejects. A call that is cancelled is told, if it runs. */
  run(entry: HostedEntrypoint, payload: Payload, cancellation?: Cancellation): Promise<Outcome>;
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
