import type { Config } from "../config/config.ts";
import type { Container } from "../serving/container.ts";
import type { BrokerError } from "../message/errors.ts";
import type { LogLevel } from "../log/log.ts";
import type { Manifest } from "../service/manifest.ts";
import type { PlainRecord } from "../message/plain.ts";
import type { Progress } from "../serving/runner.ts";
import type { FieldTable, MessageProperties } from "../message/transport.ts";

/** Options of {@linkcode Serve}. */
export interface ServeOptions {
  readonly config: Config;
  readonly broker?: string;
  readonly importMap?: string;
  readonly logLevel: LogLevel;
  /** Whether services are reloaded when their files change. */
  readonly watch: boolean;
  readonly onProgress: (progress: Progress) => void;
  readonly onUnreachable: (error: BrokerError, retryIn: number) => void;
  readonly signal: AbortSignal;
}

/** Services that run. */
export interface Serving {
  readonly containers: ReadonlyMap<string, Container>;
  readonly transport: { readonly broker: string };
  /** URL of the HTTP server, where there is one. */
  readonly http: string | undefined;
  readonly finished: Promise<void>;
  shutdown(options: { readonly signal: AbortSignal }): Promise<void>;
}

/** Serves the services of some modules. */
export type Serve = (modules: readonly string[], options: ServeOptions) => Promise<Serving>;

/** A call with both kinds of Python's arguments. */
export interface Call {
  readonly service: string;
  readonly method: string;
  readonly positional: readonly unknown[];
  readonly named: Readonly<Record<string, unknown>>;
  readonly headers: FieldTable;
  /** Milliseconds. */
  readonly timeout?: number;
}

/** Options of {@linkcode MakeCall}. */
export interface MakeCallOptions {
  readonly config: Config;
  readonly broker?: string;
  readonly onConnected: (broker: string) => void;
}

/** Makes one call. */
export type MakeCall = (call: Call, options: MakeCallOptions) => Promise<unknown>;

/** An event, and in whose name it is dispatched. */
export interface Event {
  readonly source: string;
  readonly type: string;
  readonly payload: unknown;
  readonly headers: FieldTable;
  readonly mandatory: boolean;
  /** Milliseconds that the broker may take to confirm it. */
  readonly timeout: number;
}

/** Dispatches one event. */
export type DispatchEvent = (event: Event, options: Omit<MakeCallOptions, "onConnected">) => Promise<void>;

/** A message that could not be handled. */
export interface DeadLetter {
  /** Its place in the dead-letter queue, from 1. */
  readonly number: number;
  /** Why it is dead: `undecodable`, `retries used up` or `thread lost`. */
  readonly reason: string;
  /** Class and message of the last error. */
  readonly error: string;
  /** When it died, as ISO text. */
  readonly at: string;
  readonly attempts: number;
  /** Where it was published to. */
  readonly exchange: string;
  readonly routingKey: string;
  /** As its sender gave them. */
  readonly properties: MessageProperties;
  /** Bytes of its body. */
  readonly size: number;
}

/** A message that could not be handled, with all that it says. */
export interface OpenedDeadLetter extends DeadLetter {
  readonly body: Uint8Array;
}

/** Which dead messages to send, and for how long to wait. */
export interface ReplayOptions {
  /** @default {all} */
  readonly number?: number;
  /** Milliseconds that the broker may take to confirm each. */
  readonly timeout: number;
}

/** The dead messages of one queue. */
export interface DeadLetters extends AsyncDisposable {
  count(): Promise<number>;
  list(): Promise<readonly DeadLetter[]>;
  /** Undefined where there is none with that number. */
  show(number: number): Promise<OpenedDeadLetter | undefined>;
  /** Sends one, or all, to their queue again; resolves with how many. */
  replay(options: ReplayOptions): Promise<number>;
  /** Deletes all; resolves with how many. */
  purge(): Promise<number>;
}

/** Opens the dead messages of a queue. */
export type OpenDeadLetters = (
  queue: string,
  options: Omit<MakeCallOptions, "onConnected">,
) => Promise<DeadLetters>;

/** What is said in an OpenAPI document beside the routes. */
export interface OpenApiFacts {
  readonly title: string | undefined;
  readonly version: string | undefined;
  readonly servers: readonly string[] | undefined;
  readonly onOmission: (message: string) => void;
}

/** Makes an OpenAPI document of services. */
export type DescribeOpenApi = (manifests: readonly Manifest[], facts: OpenApiFacts) => PlainRecord;

/** What the commands have from the extensions; each part is loaded by the command that needs it. */
export interface Composition {
  readonly loadServe: () => Promise<Serve>;
  readonly loadCall: () => Promise<MakeCall>;
  readonly loadEmit: () => Promise<DispatchEvent>;
  readonly loadDeadLetters: () => Promise<OpenDeadLetters>;
  readonly loadOpenApi: () => Promise<DescribeOpenApi>;
}
