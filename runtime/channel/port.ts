/**
 * This folder holds what crosses between the main thread and a service's thread, and how it crosses.
 *
 * This file lists all messages.
 *
 * They hold plain data only. An `AbortSignal` that is posted through a port arrives as an empty object,
 * without any error. An error that is posted loses its class. So a cancellation is a message of its own, and
 * errors cross as {@linkcode Failure}s.
 */
import type { ReceivedMessage } from "../service/entrypoint.ts";
import type { Manifest } from "../service/manifest.ts";
import type { Body, CancelReason, Chunk } from "../message/reply.ts";
import type { Fault } from "../message/outcome.ts";
import type { Failure } from "../message/failure.ts";
import type { Request, RequestAnswer } from "../message/messenger.ts";
import type { FieldTable, Message } from "../message/transport.ts";
import type { LogRecord, LogThreshold } from "../log/log.ts";
import type { KnownParameters } from "../service/declared/parameters.ts";
import type { OptionalParameters } from "../service/declared/optional_parameters.ts";
import type { PayloadSettings } from "../message/payload/settings.ts";
import type { PlainOrigins } from "../config/place.ts";
import type { PlainRecord } from "../message/plain.ts";

/** A module and all that it imports, as one script. It is plain data, and every thread gets a copy. */
export interface ModuleBundle {
  /** URL of the module that the bundle was made for. */
  readonly url: string;
  /** An ES module that imports only the runtime, built-ins and packages. */
  readonly code: string;
  /** Source map of the code, as JSON. Its sources are the URLs of the modules. */
  readonly map: string;
  /** The packages that the code imports, such as `npm:zod@4`. */
  readonly packages: readonly string[];
  /** The parameters that have a `?` in the sources. */
  readonly optional: OptionalParameters;
}

/** A module that Deno loads by its URL. */
export interface ModuleAddress {
  readonly url: string;
  /** Paths of the local files that it consists of. A thread looks there for optional parameters. */
  readonly files: readonly string[];
  readonly optional?: undefined;
}

/** A module inside this binary, which Deno loads by its URL. */
export interface EmbeddedModule {
  readonly url: string;
  /** The parameters that have a `?` in the sources. */
  readonly optional: OptionalParameters;
}

/** The module that a thread loads: a URL of which no more is known, what Deno loads by a URL, or a bundle. */
export type ThreadModule = string | ModuleAddress | EmbeddedModule | ModuleBundle;

/** A thread's module, or a promise of the module while its preparation still runs. */
export type ComingThreadModule = ThreadModule | Promise<ThreadModule>;

/**
 * Names a span: by its `traceparent`, or by a number from which this process and its threads make that.
 *
 * Most calls end without anybody asking for their trace, and a number costs nearly nothing.
 */
export type SpanName = string | number;

/** What the names of spans are made with beside their numbers: 32 bits for each part, random in each process. */
export type SpanSeed = readonly [trace: number, trace: number, span: number, span: number];

/** One call for a thread. */
export interface CallMessage {
  /** Place of the entrypoint in the manifest. */
  readonly entrypoint: number;
  readonly body: Body;
  readonly contentType: string | undefined;
  readonly headers: FieldTable | undefined;
  /**
   * Names the call as a span of its trace. If it is a number, the headers name the span that led to the call, if any.
   * Absent if telemetry is off.
   */
  readonly span?: SpanName | undefined;
  /** Absent if the entrypoint's handler does not get it, as in RPC: to send it would only cost time. */
  readonly message?: ReceivedMessage | PlainRecord | string;
  /** Milliseconds that the handler may take. For a stream, only the time before it begins counts. */
  readonly timeout?: number;
  /** Epoch milliseconds after which nobody waits for the result. Absent if the headers alone may say so. */
  readonly deadline?: number;
}

/** A call as a pool gets it. */
export type Invocation = CallMessage & {
  /** Epoch milliseconds by which an answer must begin. The pool alone heeds it. @default {the deadline} */
  readonly answerBy?: number;
  /** Time at which the call came, as `performance.now()` gives it. The pool alone heeds it. @default {now} */
  readonly at?: number | undefined;
  /** Calls of a higher priority get a thread first. The pool alone heeds it. @default {0} */
  readonly priority?: number;
  /** Names the span that led to the call. No thread needs it. */
  readonly parent?: string | undefined;
};

/** Tells a thread to serve one of its module's services, with all that the thread must know for that. */
export interface ServeMessage {
  readonly type: "serve";
  readonly service: string;
  readonly config: PlainRecord;
  /** Where the keys of the configuration stand, for messages; absent if it comes from no file. */
  readonly configOrigins?: PlainOrigins | undefined;
  /** Milliseconds that an outgoing call waits for its answer, unless that call states a timeout. */
  readonly callTimeout: number;
  /** How many ids of former calls a call id stack keeps. */
  readonly parentCallsTracked: number;
  /** How the service writes and reads what has no serializer of its own; absent if it is JSON. */
  readonly payloads?: PayloadSettings | undefined;
  /** How many calls the thread runs at a time. */
  readonly concurrency: number;
  /** The thread sends no log records below this level, until the main thread names another level. */
  readonly logThreshold: LogThreshold;
  /** How many log records the main thread takes from the thread in a second. */
  readonly logLimit: number;
  /** Mebibytes that the thread may have for its objects; absent if V8 decides. */
  readonly heapLimit?: number | undefined;
  /** Mebibytes above which the thread tells the main thread of its heap; absent if it never does. */
  readonly softHeapLimit?: number | undefined;
  /** With it, the thread knows the calls by the same names as the main thread. */
  readonly spanSeed: SpanSeed;
  /** Parameters of the handlers that another thread has read. */
  readonly parameters?: KnownParameters;
}

/** What a restricted service may do inside its process. */
export interface InnerRights {
  /** The packages of npm and JSR that it may import. For a bundle, those of the bundle count instead. */
  readonly packages: readonly string[];
  /** Whether it may start Workers. */
  readonly workers: boolean;
  /** Names of single environment variables that it may read. */
  readonly variables: readonly string[];
}

/** Tells a thread which module it loads, and what of the process it gets. */
export interface LoadMessage {
  readonly type: "load";
  readonly module: ThreadModule;
  /** Absent if the service has all permissions. */
  readonly rights?: InnerRights | undefined;
  /** Environment variables that the operator gives to the service. Absent if there are none. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** What can be taken of a thread, as Chrome's DevTools read it: a CPU profile, or a snapshot of its heap. */
export type InspectionSubject = "profile" | "heap";

/** Gives a thread a call. */
export interface AssignMessage {
  readonly type: "call";
  /** Cell of the thread's {@linkcode Claims}. It is also the name of the call until the call has settled. */
  readonly slot: number;
  readonly call: CallMessage;
}

/** A message from the main thread to a thread. */
export type ToThread =
  | LoadMessage
  | ServeMessage
  | AssignMessage
  | { readonly type: "cancel"; readonly slot: number; readonly reason: CancelReason }
  | { readonly type: "pull"; readonly slot: number }
  | { readonly type: "answer"; readonly id: number; readonly body: RequestAnswer | undefined }
  | { readonly type: "refusal"; readonly id: number; readonly failure: Failure }
  | { readonly type: "describe" }
  | { readonly type: "log threshold"; readonly threshold: LogThreshold }
  | {
    readonly type: "inspect";
    readonly id: number;
    readonly step: InspectionSubject | "next" | "cancel";
    /** Milliseconds that a profile takes. */
    readonly duration: number;
  }
  | { readonly type: "ping" }
  | { readonly type: "stop" }
  | { readonly type: "end" };

/** A message from a thread to the main thread. */
export type FromThread =
  | { readonly type: "loaded"; readonly services: readonly ServiceExport[] }
  | { readonly type: "described"; readonly services: readonly ServiceExport[] }
  | { readonly type: "ready"; readonly parameters: KnownParameters }
  | { readonly type: "unready"; readonly failure: Failure }
  | {
    readonly type: "done";
    readonly slot: number;
    readonly body: Body;
    readonly head?: PlainRecord | string;
    /** Absent if the handler has succeeded. */
    readonly fault?: Fault;
    readonly elapsed: number;
  }
  | { readonly type: "opened"; readonly slot: number; readonly head: PlainRecord | string }
  | { readonly type: "chunk"; readonly slot: number; readonly chunk: Chunk }
  | { readonly type: "skipped"; readonly slot: number }
  | {
    readonly type: "failed";
    readonly slot: number;
    readonly failure: Failure;
    readonly expected: boolean;
    readonly undecoded?: true;
    readonly elapsed: number;
  }
  | { readonly type: "request"; readonly id: number; readonly request: Request; readonly timeout: number }
  | { readonly type: "publish"; readonly id: number; readonly message: Message }
  | { readonly type: "withdraw"; readonly id: number }
  | { readonly type: "log"; readonly record: LogRecord }
  | {
    readonly type: "inspected";
    readonly id: number;
    /** The next bytes; absent after the last ones. */
    readonly piece?: Uint8Array;
    readonly failure?: Failure;
  }
  /** The thread has used this many bytes of heap, which is above its soft limit. */
  | { readonly type: "heap"; readonly used: number }
  | { readonly type: "pong" }
  | { readonly type: "exiting"; readonly code: number }
  | { readonly type: "stopped" };

/** A service that a module exports. */
export interface ServiceExport {
  /** Name of the export. It may be `default`. */
  readonly exportName: string;
  readonly manifest: Manifest;
}

/** A message that has come. */
export interface Arrival<Message> {
  readonly data: Message;
  /** Time at which the port last looked at the clock, as `performance.now()` gives it. */
  readonly at: number;
}

/** The part of a `MessagePort` that both sides use. */
export interface Port<Outgoing, Incoming> {
  /** @throws {DataCloneError} If the message cannot be cloned. Later messages can be posted all the same. */
  postMessage(message: Outgoing): void;
  onmessage: ((arrival: Arrival<Incoming>) => void) | null;
  /**
   * Called once, with a reason, when the other side has sent what no message looks like. The port delivers
   * nothing after that. Without a listener, the port throws into its event loop.
   */
  onfault: ((fault: string) => void) | null;
  close(): void;
}

/** A thread's end of the port. */
export type ThreadPort = Port<FromThread, ToThread>;

/** The main thread's end of the port. */
export type HostPort = Port<ToThread, FromThread>;
