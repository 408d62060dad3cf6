/**
 * This folder holds what runs inside a thread beside the service's own code.
 *
 * This file has the life of one service thread behind its port. It is the same for every kind of thread.
 *
 * Invariant: at most `concurrency` calls run at a time, the thread has claimed each call before it starts it,
 * and each claimed call posts exactly one outcome. Further calls wait in `#mailbox`, where the main thread
 * may take them back. A call that was taken back fails its claim. The thread then skips the call and tells
 * the main thread so, because only then may the main thread use the slot again. The thread posts each outcome
 * as soon as the outcome is there: in a batch, a finished call would have to wait for the next call.
 */
import type { CallScope } from "./call_scope.ts";
import { Claims } from "../channel/claims.ts";
import { isPackage } from "./closing/closed_builtins.ts";
import { withOrigins } from "../config/place.ts";
import { deniedVariable, explainDenial } from "./denial.ts";
import { heapNumbers, HeapWatch } from "./heap_watch.ts";
import type { Inspection } from "./inspection.ts";
import { Invoker } from "./invoker.ts";
import type { LogFields } from "../log/log_fields.ts";
import { createLog, type Log, type LogRecord, type LogThreshold } from "../log/log.ts";
import { describe, describeInDetail, type Manifest } from "../service/manifest.ts";
import { describeFailure, failureWithStack } from "../message/failure.ts";
import { failed, type Outcome } from "../message/outcome.ts";
import { given } from "../message/plain.ts";
import type { Reply } from "../message/reply.ts";
import { DEFAULT_PAYLOADS, loadPayloads } from "../message/payload/payloads.ts";
import { DEFAULT_LOG_LIMIT, LARGEST_RECORD, leftOutText, RecordLimit } from "../log/record_limit.ts";
import { OutgoingStream } from "./outgoing_stream.ts";
import { optionalParametersOf } from "./optional_parameters.ts";
import type { OriginalName, ReadParametersOptions } from "../service/declared/parameters.ts";
import type {
  AssignMessage,
  InnerRights,
  LoadMessage,
  ServeMessage,
  ServiceExport,
  ThreadModule,
  ThreadPort,
  ToThread,
} from "../channel/port.ts";
import { plainSize } from "../channel/plain_size.ts";
import type { OwnEnvironment } from "./closing/own_environment.ts";
import { PortMessenger } from "./port_messenger.ts";
import type { Clock } from "../waiting/clock.ts";
import { takesSpans } from "../telemetry/otel/switch.ts";
import { useSpanSeed } from "../telemetry/trace.ts";
import { type FoundService, type Service, servicesIn } from "../service/service.ts";
import { PendingMap } from "../waiting/pending_map.ts";

/** The means of a thread that its {@linkcode ServiceThread} uses. */
export interface ThreadMeans {
  /** Ends the thread at once. */
  exit(): void;
  /** Closes what services must not share. It is called before the module is loaded. */
  enclose(url: string, rights: InnerRights, environment: OwnEnvironment): void;
  /** What the module exports, if the thread must not import it. */
  readonly exports?: Readonly<Record<string, unknown>>;
  /** Whether the thread has the heap of the program, which says nothing of the service. @default {false} */
  readonly sharesHeap?: boolean;
  /** The clock that the calls go by. @default {the clock of the machine} */
  readonly clock?: Clock;
}

const NO_RIGHTS: InnerRights = { packages: [], workers: false, variables: [] };

/** One service thread: loads the module that the main thread names, then serves its port. */
export class ServiceThread {
  readonly #port: ThreadPort;
  readonly #means: ThreadMeans;
  readonly #claims: Claims;
  readonly #messenger: PortMessenger;
  readonly #mailbox: AssignMessage[] = [];
  readonly #running = new PendingMap<number, CallScope>();
  readonly #streams = new Map<number, OutgoingStream>();
  readonly #ending = new AbortController();
  /** What gives spans to the calls; undefined if nobody takes spans. It is never loaded then. */
  readonly #loadingSpans = takesSpans() ? import("../telemetry/otel/handler_spans.ts") : undefined;
  #spans: typeof import("../telemetry/otel/handler_spans.ts") | undefined;
  #exports: readonly FoundService[] = [];
  #module: ThreadModule | undefined;
  #originalName: OriginalName | undefined;
  #invoker: Invoker | undefined;
  #inspection: Inspection | undefined;
  #concurrency = 1;
  /** Name of the module or service whose code runs outside of calls, for messages. */
  #place = "";

  constructor(port: ThreadPort, claims: SharedArrayBuffer, means: ThreadMeans) {
    this.#port = port;
    this.#means = means;
    this.#claims = new Claims(claims);
    this.#messenger = new PortMessenger(port);
    port.onmessage = ({ data }) => this.#receive(data);
  }

  /** Loads the module, and tells the main thread what the module exports or why it does not load. */
  async #load({ module, rights = NO_RIGHTS, env = {} }: LoadMessage): Promise<void> {
    const url = typeof module === "string" ? module : module.url;
    this.#place = `module ${url.slice(url.lastIndexOf("/") + 1)}`;
    try {
      if (this.#loadingSpans !== undefined) this.#spans = await this.#loadingSpans;
      const { packages } = typeof module === "object" && "code" in module ? module : rights;
      this.#means.enclose(url, { ...rights, packages }, {
        values: env,
        permitted: rights.variables,
        onDenied: this.#denied,
      });
      this.#exports = servicesIn(await this.#import(module));
    } catch (error) {
      explainDenial(error, this.#place);
      this.#port.postMessage({ type: "unready", failure: failureWithStack(error) });
      return;
    } finally {
      this.#claims.markLoaded();
    }
    await this.#describe("loaded", describe);
  }

  /** Variables that the module has read without permission, before the thread knew whether to log that. */
  readonly #deniedAtLoad: string[] = [];

  #isServing = false;

  readonly #denied = (variable: string): void => {
    if (!this.#isServing) this.#deniedAtLoad.push(variable);
    else this.#log().debug(deniedVariable(variable, this.#place));
  };

  /** Imports the module. The code that imports bundles is loaded for bundles only. */
  async #import(module: ThreadModule): Promise<Readonly<Record<string, unknown>>> {
    this.#module = module;
    if (this.#means.exports !== undefined) return this.#means.exports;
    if (typeof module === "string" || !("code" in module)) {
      const url = typeof module === "string" ? module : module.url;
      // Service code can make an object of this class, and the hooks trust the imports of the runtime.
      if (isPackage(url)) throw new TypeError(`Cannot load ${url}: a package is no module of a service`);
      return await import(url);
    }
    const { importBundle } = await import("../module/bundle/bundle_import.ts");
    const { exports, originalName } = await importBundle(module);
    this.#originalName = originalName;
    return exports;
  }

  /** Logs an error that no call of this thread caught. */
  reportUncaught(thrown: unknown): void {
    explainDenial(thrown, this.#place);
    this.#log().error(`Uncaught outside of all calls: ${String(thrown)}`, { error: thrown });
  }

  /** Tells the main thread that service code ends this thread. */
  reportExit(code: number): void {
    this.#port.postMessage({ type: "exiting", code });
  }

  #receive(message: ToThread): void {
    switch (message.type) {
      case "load":
        void this.#load(message);
        break;
      case "call":
        this.#mailbox.push(message);
        this.#pump();
        break;
      case "answer":
      case "refusal":
        this.#messenger.settle(message);
        break;
      case "cancel":
        this.#running.get(message.slot)?.cancel(message.reason);
        // A handler that is told that its container is stopping may go on sending until the container ends.
        if (message.reason !== "stopping") this.#streams.get(message.slot)?.close();
        break;
      case "pull":
        this.#streams.get(message.slot)?.pull();
        break;
      case "serve":
        void this.#serve(message);
        break;
      case "describe":
        void this.#describe("described", (service) => describeInDetail(service, this.#reading()));
        break;
      case "log threshold":
        this.#logThreshold = message.threshold;
        break;
      case "inspect":
        void this.#inspect(message);
        break;
      case "ping":
        this.#port.postMessage({ type: "pong" });
        break;
      case "stop":
        // The pool may ask twice. The second answer must not come before the first.
        this.#stopping ??= this.#stop();
        break;
      case "end":
        // Whether the thread has a module or not, it loads none now. So the main thread may interrupt it at
        // once if it does not end by itself.
        this.#claims.markLoaded();
        this.#means.exit();
        break;
    }
  }

  /** Takes a step of an inspection. The code for that is loaded with the first one. */
  async #inspect(message: Extract<ToThread, { readonly type: "inspect" }>): Promise<void> {
    const { Inspection } = await import("./inspection.ts");
    this.#inspection ??= new Inspection((answer) => this.#port.postMessage(answer));
    await this.#inspection.take(message);
  }

  async #describe(
    type: "loaded" | "described",
    describe: (service: Service) => Manifest | Promise<Manifest>,
  ): Promise<void> {
    try {
      const services: ServiceExport[] = [];
      for (const { exportName, service } of this.#exports) {
        services.push({ exportName, manifest: await describe(service) });
      }
      this.#port.postMessage({ type, services });
    } catch (error) {
      this.#port.postMessage({ type: "unready", failure: failureWithStack(error) });
    }
  }

  async #serve(
    {
      service: name,
      config,
      configOrigins,
      callTimeout,
      parentCallsTracked,
      payloads,
      concurrency,
      logThreshold,
      logLimit,
      heapLimit,
      softHeapLimit,
      spanSeed,
      parameters: known,
    }: ServeMessage,
  ): Promise<void> {
    this.#place = `service ${name}`;
    this.#concurrency = concurrency;
    this.#logLimit.most = logLimit;
    this.#logThreshold = logThreshold;
    useSpanSeed(spanSeed);
    this.#isServing = true;
    for (const variable of this.#deniedAtLoad) this.#denied(variable);
    this.#heap = new HeapWatch(
      this.#log(),
      heapNumbers(heapLimit),
      softHeapLimit === undefined || this.#means.sharesHeap ? undefined : {
        mebibytes: softHeapLimit,
        onPassed: (used) => this.#port.postMessage({ type: "heap", used }),
      },
    );
    const own = { service: name, ...given({ clock: this.#means.clock }) };
    try {
      this.#invoker = await Invoker.create(
        this.#exports.find(({ service }) => service.name === name)!.service,
        {
          ...own,
          config: withOrigins(config, configOrigins),
          callTimeout,
          payloads: payloads === undefined ? DEFAULT_PAYLOADS : await loadPayloads(payloads),
          messenger: this.#messenger,
          log: this.#log(),
          signal: this.#ending.signal,
          ...(this.#spans && { outgoing: [this.#spans.outgoingSpans(name)] }),
        },
        {
          ...own,
          parentCallsTracked,
          logFor: (fields) => this.#log(fields),
        },
        { ...this.#reading(), known, warn: (message) => this.#log().warning(message) },
      );
      this.#port.postMessage({ type: "ready", parameters: this.#invoker.parameters });
    } catch (error) {
      this.#port.postMessage({ type: "unready", failure: failureWithStack(error) });
    }
  }

  /** How the parameters of handlers are read. */
  #reading(): ReadParametersOptions {
    return {
      originalName: this.#originalName,
      optional: (names) => optionalParametersOf(this.#module!, names),
    };
  }

  /**
   * Posts a record, if the thread may log it. The main thread checks the same limit, but each record that it
   * leaves out has cost it time.
   */
  readonly #emit = (record: LogRecord): void => {
    if (this.#logLimit.admits(plainSize(record, LARGEST_RECORD))) this.#postRecord(record);
  };

  readonly #logLimit = new RecordLimit(
    DEFAULT_LOG_LIMIT,
    (count) =>
      this.#postRecord({ level: "warning", message: leftOutText(count, "this thread"), time: Date.now() }),
  );

  #postRecord(record: LogRecord): void {
    this.#port.postMessage({ type: "log", record });
  }

  #logThreshold: LogThreshold = "info";

  #heap: HeapWatch | undefined;

  /** Makes a log whose threshold follows the main thread, which itself says of which service the records are. */
  #log(fields?: LogFields): Log {
    return createLog({
      emit: this.#emit,
      threshold: () => this.#logThreshold,
      ...(fields && { fields }),
    });
  }

  /** @param now The present time, where it is known. It holds for one call: the handler of that may take long. */
  #pump(now?: number): void {
    while (this.#running.size < this.#concurrency) {
      const message = this.#mailbox.shift();
      if (message === undefined) return;
      if (this.#claims.start(message.slot)) void this.#run(message, now);
      else this.#port.postMessage({ type: "skipped", slot: message.slot });
      now = undefined;
    }
  }

  async #run({ slot, call: message }: AssignMessage, start = performance.now()): Promise<void> {
    const invoker = this.#invoker!;
    const call = invoker.scope(message);
    this.#running.set(slot, call);
    const invoke = () => invoker.invoke(message, call, (reply) => this.#stream(slot, reply));
    const spans = this.#spans;
    const outcome = await this.#outcomeOf(
      spans === undefined ? invoke() : spans.runWithin(call.traceparent, invoke),
    );
    this.#running.delete(slot);
    const end = performance.now();
    try {
      this.#postOutcome(slot, outcome, end - start);
    } catch (error) {
      call.log.error("Cannot pass the result of the call on: the result cannot be cloned", { error });
      this.#postOutcome(slot, failed(describeFailure(error)), 0);
    }
    this.#heap?.look(end);
    this.#pump(end);
  }

  #postOutcome(slot: number, outcome: Outcome, elapsed: number): void {
    if (outcome.status === "done") {
      const { body, head, fault } = outcome;
      const done = { type: "done", slot, body, elapsed, ...(fault && { fault }) } as const;
      this.#port.postMessage(head === undefined ? done : { ...done, head });
    } else if (outcome.status === "failed") {
      const { failure, expected, undecoded } = outcome;
      const ended = { type: "failed", slot, failure, expected, elapsed } as const;
      this.#port.postMessage(undecoded ? { ...ended, undecoded } : ended);
    }
  }

  /** Waits for an outcome. An invoker never rejects: if one did, the slot would be lost for good. */
  async #outcomeOf(invoked: Promise<Outcome>): Promise<Outcome> {
    try {
      return await invoked;
    } catch (error) {
      this.reportUncaught(error);
      return failed(describeFailure(error));
    }
  }

  async #stream(slot: number, { head, chunks }: Reply): Promise<void> {
    const stream = new OutgoingStream();
    this.#streams.set(slot, stream);
    try {
      this.#port.postMessage({ type: "opened", slot, head });
      await stream.send(chunks!, (chunk) => this.#port.postMessage({ type: "chunk", slot, chunk }));
    } finally {
      this.#streams.delete(slot);
    }
  }

  #stopping: Promise<void> | undefined;

  async #stop(): Promise<void> {
    this.#ending.abort();
    await this.#invoker?.[Symbol.asyncDispose]();
    this.#logLimit.end();
    this.#port.postMessage({ type: "stopped" });
  }
}
