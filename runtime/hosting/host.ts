/**
 * This folder holds what the main-thread half of an entrypoint uses: calls, queues, the fate of messages.
 *
 * This file defines what the main-thread half of a kind of entrypoint consists of, and what it may use.
 */
import type { Clock } from "../waiting/clock.ts";
import type { Cancellation } from "../waiting/cancellation.ts";
import type { Invocation } from "../channel/port.ts";
import type { Payload } from "../service/entrypoint.ts";
import type { Log } from "../log/log.ts";
import type { Manifest, ManifestDependency, ManifestEntrypoint } from "../service/manifest.ts";
import type { Outcome } from "../message/outcome.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Messenger } from "../message/messenger.ts";
import type { PlainRecord } from "../message/plain.ts";
import type { FieldTable, Transport } from "../message/transport.ts";

/** An entrypoint, as the host of its kind has it. */
export interface HostedEntrypoint extends ManifestEntrypoint {
  /** Place of the entrypoint in the manifest. Calls name the entrypoint by this place. */
  readonly index: number;
  /** Milliseconds that a call may run. */
  readonly timeout: number | undefined;
  /** Calls of a higher priority get a thread first. @default {0} */
  readonly priority?: number;
}

/** Returns the entrypoints of a manifest, as hosts have them. */
export function hostedEntrypoints({ entrypoints }: Manifest): readonly HostedEntrypoint[] {
  return entrypoints.map((entry, index) => {
    const { timeout, priority } = entry.options;
    return {
      ...entry,
      index,
      timeout: typeof timeout === "number" ? timeout : undefined,
      ...(typeof priority === "number" && { priority }),
    };
  });
}

/** Names a call as a span of its trace, and the span that led to it. */
export type CallSpan = Pick<Invocation, "span" | "parent">;

/** Makes the call of an entrypoint that the pool can run. */
export function invocationOf(
  { index, timeout, priority = 0 }: HostedEntrypoint,
  { body, contentType, headers, message, deadline, answerBy, at, priority: own = 0 }: Payload,
  { span, parent }: CallSpan = {},
): Invocation {
  const invocation: { -readonly [Key in keyof Invocation]: Invocation[Key] } = {
    entrypoint: index,
    body,
    contentType,
    headers,
  };
  if (at !== undefined) invocation.at = at;
  if (span !== undefined) {
    invocation.span = span;
    invocation.parent = parent;
  }
  // The priorities of messages, which are from 0 to 255, decide among the calls of one priority of methods.
  if (priority !== 0 || own !== 0) invocation.priority = priority * 256 + own;
  if (deadline !== undefined) invocation.deadline = deadline;
  else if (answerBy !== undefined) invocation.answerBy = answerBy;
  if (message !== undefined) invocation.message = message;
  if (timeout !== undefined) invocation.timeout = timeout;
  return invocation;
}

/** The part of a container that the host of an entrypoint may use. */
export interface EntrypointHost {
  /** Name of the service. */
  readonly service: string;
  /** The connection to the broker, which all services of the process share. */
  readonly transport: Transport;
  /** The whole configuration. */
  readonly config: PlainRecord;
  /** Writes records in the name of the service. */
  readonly log: Log;
  /** Counts what the host sees. Nobody reads the numbers if telemetry is off. */
  readonly metrics: Metrics;
  /** Tells the time that decides what the service does. In a test of services it may be one that the test moves. */
  readonly clock: Clock;
  /** Aborts when the container must stop at once. */
  readonly signal: AbortSignal;
  /** Number of calls that the container can use at once. A consumer prefetches that many deliveries. */
  readonly demand: number;
  /** Calls `listener` when the demand changes. */
  onDemand(listener: (demand: number) => void): void;
  /**
   * Returns how many milliseconds the latest calls of an entrypoint have taken at least; 0 while that is unknown, or
   * if the service is to run even calls that cannot be answered in time.
   */
  least(entry: HostedEntrypoint): number;
  /** Runs the handler of an entrypoint; never rejects. A cancellation tells a running call to stop. */
  run(entry: HostedEntrypoint, payload: Payload, cancellation?: Cancellation): Promise<Outcome>;
  /** Gives back the calls that wait for a thread, with the outcome `unstarted`. */
  shed(): void;
  /** Watches a task in the background. If the task rejects, the container fails. */
  watch(task: Promise<unknown>): void;
}

/**
 * The main-thread half of all entrypoints of one kind in one service.
 *
 * The container calls `setup` of all kinds before it calls `start` of any kind. `stop` ends the intake. The
 * calls that came in before are still run and answered, and disposal waits for their answers.
 */
export interface Entrypoint extends AsyncDisposable {
  /** Acquires what the entrypoints need. */
  setup?(): Promise<void>;
  /** Begins to let calls in. */
  start(): Promise<void>;
  /**
   * Lets no more calls in.
   *
   * @param options.replaced Whether the process goes on: a newer version of the service takes over, or only this
   * service is stopped. If so, shared things stay open.
   * @param options.paused Whether only this service is stopped, and may start again.
   */
  stop(options?: { readonly replaced?: boolean; readonly paused?: boolean }): Promise<void>;
}

/** Makes the main-thread half of a kind of entrypoint from its entries in the manifest. */
export type EntrypointFactory = (entries: readonly HostedEntrypoint[], host: EntrypointHost) => Entrypoint;

/** Entrypoint kinds by name. */
export type EntrypointRegistry = Readonly<Record<string, EntrypointFactory>>;

/** Loads the factories for the kinds of some entrypoints. */
export type EntrypointLoader = (entries: Manifest["entrypoints"]) => Promise<EntrypointRegistry>;

/**
 * Stands between the entrypoints of a service and their factories. Tests watch calls there, and leave entrypoints out.
 *
 * @returns A factory for each kind in the manifest.
 */
export type EntrypointInterceptor = (
  manifest: Manifest,
  load: EntrypointLoader,
) => Promise<EntrypointRegistry>;

/** The part of a container that the setup of a dependency may use. */
export type DependencySetupHost =
  & Pick<
    EntrypointHost,
    "service" | "transport" | "config" | "log" | "metrics" | "clock"
  >
  & {
    /** Sends for the service, as its handlers do: nowhere where the operator does not let it. */
    readonly messenger: Messenger;
  };

/**
 * The half of a dependency in the main thread. There is one for all threads of a service, so it may hold what
 * must exist once, such as a socket. Its disposal comes after the threads have ended.
 */
export interface DependencyHalf extends Partial<AsyncDisposable> {
  /**
   * Answers what a thread asks by `host.ask()` of its own half. What this method throws reaches the thread as
   * the failure of its question.
   *
   * @param options.signal Aborts when nobody waits for the answer any more.
   */
  answer?(
    body: string | Uint8Array<ArrayBuffer>,
    options?: { readonly signal?: AbortSignal },
  ): Answer | Promise<Answer>;
}

/** The answer of a {@linkcode DependencyHalf}. */
export type Answer = string | Uint8Array<ArrayBuffer>;

/**
 * Sets up in the main thread what a kind of dependency needs, such as an exchange. The container calls it
 * before it sets up any entrypoint. When a reload brings new code, it is called again only if the options of
 * the dependency have changed, or if the last setup has returned no half.
 */
export type DependencySetup = (
  dependency: ManifestDependency,
  host: DependencySetupHost,
) => Promise<DependencyHalf | void>;

/** A call of any service of the process, as the hooks of an extension see it: its message is not decoded. */
export interface HostedCall {
  /** Name of the service that is called. */
  readonly service: string;
  /** The entrypoint that the call came by. */
  readonly entry: HostedEntrypoint;
  /** The undecoded message of the call. */
  readonly payload: Payload;
  /** The log of the service. */
  readonly log: Log;
}

/**
 * Runs in the main thread around each call of every service.
 *
 * `next` runs the call, with more context data if it gets any, and gives its outcome. A hook that throws refuses the
 * call with its error, which is logged.
 */
export type HostHook = (
  call: HostedCall,
  next: (context?: FieldTable) => Promise<Outcome>,
) => Outcome | Promise<Outcome>;

/** Dependency kinds by name. */
export type DependencyRegistry = Readonly<Record<string, DependencySetup>>;
