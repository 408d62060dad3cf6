/**
 * The seam: every message that crosses between the main thread and a service's thread.
 *
 * Plain data only. An `AbortSignal` posted through a port arrives as an empty object without any error, and an
 * error loses its class: so cancelling is a message of its own, and errors cross as {@linkcode Failure}s.
 */
import type { ReceivedMessage } from "../service/entrypoint.ts";
import type { Manifest } from "../service/manifest.ts";
import type { Body, CancelReason, Chunk } from "../message/reply.ts";
import type { Failure } from "../message/failure.ts";
import type { Request } from "../message/messenger.ts";
import type { FieldTable, Message } from "../message/transport.ts";
import type { LogLevel, LogRecord } from "../log/log.ts";
import type { KnownParameters } from "../service/parameters.ts";
import type { PlainRecord } from "../message/plain.ts";

/** A module and all that it imports as one script. Plain data: every thread is given a copy. */
export interface ModuleBundle {
  /** Of the module that was asked for. */
  readonly url: string;
  /** An ES module, whose only imports are the runtime, built-ins and packages. */
  readonly code: string;
  /** Its source map as JSON; the sources are the URLs of the modules. */
  readonly map: string;
  /** The packages that it imports, such as `npm:zod@4`. */
  readonly packages: readonly string[];
}

/** What a thread loads: the URL of a module, or a bundle. */
export type ThreadModule = string | ModuleBundle;

/** The same, where it may still be prepared. */
export type ComingThreadModule = ThreadModule | Promise<ThreadModule>;

/** One call for a thread. */
export interface CallMessage {
  /** Cell of the thread's {@linkcode Claims}, and the call's name until it has settled. */
  readonly slot: number;
  /** Place of the entrypoint in the manifest. */
  readonly entrypoint: number;
  readonly body: Body;
  readonly contentType: string | undefined;
  readonly headers: FieldTable | undefined;
  /** Absent where the entrypoint's handler does not get it, as in RPC: it would only cost. */
  readonly message?: ReceivedMessage | PlainRecord | string;
  /** Milliseconds that the handler may take; where its reply is a stream, until that begins. */
  readonly timeout?: number;
}

/** What a pool is asked to run: a call without the slot it will have. */
export type Invocation = Omit<CallMessage, "slot">;

/** What a thread must know to serve one of its module's services. */
export interface ServeMessage {
  readonly type: "serve";
  readonly service: string;
  readonly config: PlainRecord;
  /** Milliseconds that an outgoing call waits for its answer where it says nothing else. */
  readonly callTimeout: number;
  /** How many ids of former calls a call id stack keeps. */
  readonly parentCallsTracked: number;
  /** Calls run at a time. */
  readonly concurrency: number;
  /** Records below it are not sent. */
  readonly logLevel: LogLevel;
  /** What another thread has read of the handlers' parameters. */
  readonly parameters?: KnownParameters;
}

/** Main to thread. */
export type ToThread =
  | { readonly type: "load"; readonly module: ThreadModule }
  | ServeMessage
  | { readonly type: "call"; readonly call: CallMessage }
  | { readonly type: "cancel"; readonly slot: number; readonly reason: CancelReason }
  | { readonly type: "pull"; readonly slot: number }
  | { readonly type: "answer"; readonly id: number; readonly body: string | Uint8Array | undefined }
  | { readonly type: "refusal"; readonly id: number; readonly failure: Failure }
  | { readonly type: "describe" }
  | { readonly type: "ping" }
  | { readonly type: "stop" }
  | { readonly type: "end" };

/** Thread to main. */
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
  }
  | { readonly type: "request"; readonly id: number; readonly request: Request; readonly timeout: number }
  | { readonly type: "publish"; readonly id: number; readonly message: Message }
  | { readonly type: "withdraw"; readonly id: number }
  | { readonly type: "log"; readonly record: LogRecord }
  | { readonly type: "pong" }
  | { readonly type: "exiting"; readonly code: number }
  | { readonly type: "stopped" };

/** A service that a module exports. */
export interface ServiceExport {
  /** Name of the export, `default` among them. */
  readonly exportName: string;
  readonly manifest: Manifest;
}

/** The part of a `MessagePort` that both sides use. */
export interface Port<Outgoing, Incoming> {
  postMessage(message: Outgoing): void;
  onmessage: ((event: { readonly data: Incoming }) => void) | null;
  close(): void;
}

/** A thread's end of the port. */
export type ThreadPort = Port<FromThread, ToThread>;

/** Main's end of the port. */
export type HostPort = Port<ToThread, FromThread>;
