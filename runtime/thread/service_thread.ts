/**
 * The life of one service thread behind its port, whatever kind of thread it is.
 *
 * Invariant: at most `concurrency` calls run at a time, each was claimed before it started, and each claimed
 * call posts exactly one outcome. Calls beyond that wait in `#mailbox`, where main may take them back; a call
 * that was taken back fails its claim and is skipped, which main is told, because only then may it use the
 * slot again. Outcomes are posted one by one as they come about: a
 * batch would hold a finished call hostage to the one that runs next.
 */
import type { CallScope } from "./call_scope.ts";
import { Claims } from "../channel/claims.ts";
import { explainDenial } from "./denial.ts";
import { Invoker } from "./invoker.ts";
import { createLog, type Log, type LogRecord } from "../log/log.ts";
import { describe } from "../service/manifest.ts";
import { describeFailure } from "../message/failure.ts";
import { failed, type Outcome } from "../message/outcome.ts";
import type { Reply } from "../message/reply.ts";
import { OutgoingStream } from "./outgoing_stream.ts";
import type { OriginalName } from "../service/parameters.ts";
import type { PlainRecord } from "../message/plain.ts";
import type {
  CallMessage,
  ServeMessage,
  ServiceExport,
  ThreadModule,
  ThreadPort,
  ToThread,
} from "../channel/port.ts";
import { PortMessenger } from "./port_messenger.ts";
import { isService, type Service } from "../service/service.ts";

/** What {@linkcode ServiceThread} is given of the thread that it is in. */
export interface ThreadMeans {
  /** Ends the thread at once. */
  exit(): void;
  /** Called with the URL of the module before it is loaded. */
  enclose(url: string): void;
}

/** One service thread: loads the module that it is told to load, then serves its port. */
export class ServiceThread {
  readonly #port: ThreadPort;
  readonly #means: ThreadMeans;
  readonly #claims: Claims;
  readonly #messenger: PortMessenger;
  readonly #mailbox: CallMessage[] = [];
  readonly #running = new Map<number, CallScope>();
  readonly #streams = new Map<number, OutgoingStream>();
  readonly #ending = new AbortController();
  #exports: readonly FoundService[] = [];
  #originalName: OriginalName | undefined;
  #invoker: Invoker | undefined;
  #concurrency = 1;
  /** Whose code runs outside of calls. */
  #place = "";

  constructor(port: ThreadPort, claims: SharedArrayBuffer, means: ThreadMeans) {
    this.#port = port;
    this.#means = means;
    this.#claims = new Claims(claims);
    this.#messenger = new PortMessenger(port);
    port.onmessage = ({ data }) => this.#receive(data);
  }

  /** Tells main what the module exports, or why it does not load. */
  async #load(module: ThreadModule): Promise<void> {
    const url = typeof module === "string" ? module : module.url;
    this.#place = `module ${url.slice(url.lastIndexOf("/") + 1)}`;
    try {
      this.#means.enclose(url);
      this.#exports = servicesOf(await this.#import(module));
    } catch (error) {
      explainDenial(error, this.#place);
      this.#port.postMessage({ type: "unready", failure: withStack(error) });
      return;
    } finally {
      this.#claims.markLoaded();
    }
    this.#describe("loaded", { details: false });
  }

  /** What bundles need is loaded for bundles only. */
  async #import(module: ThreadModule): Promise<Readonly<Record<string, unknown>>> {
    if (typeof module === "string") return await import(module);
    const { importBundle } = await import("./bundle_import.ts");
    const { exports, originalName } = await importBundle(module);
    this.#originalName = originalName;
    return exports;
  }

  /** Reports an error that no call of this thread caught. */
  reportUncaught(thrown: unknown): void {
    explainDenial(thrown, this.#place);
    this.#log({}).error(`Uncaught in the service's own time: ${String(thrown)}`, { error: thrown });
  }

  /** Tells main that service code ends the thread. */
  reportExit(code: number): void {
    this.#port.postMessage({ type: "exiting", code });
  }

  #receive(message: ToThread): void {
    switch (message.type) {
      case "load":
        void this.#load(message.module);
        break;
      case "call":
        this.#mailbox.push(message.call);
        this.#pump();
        break;
      case "answer":
      case "refusal":
        this.#messenger.settle(message);
        break;
      case "cancel":
        this.#running.get(message.slot)?.cancel(message.reason);
        // Whoever goes on sending once it is told that the container is stopping has until its end.
        if (message.reason !== "stopping") this.#streams.get(message.slot)?.close();
        break;
      case "pull":
        this.#streams.get(message.slot)?.pull();
        break;
      case "serve":
        void this.#serve(message);
        break;
      case "describe":
        this.#describe("described", { details: true });
        break;
      case "ping":
        this.#port.postMessage({ type: "pong" });
        break;
      case "stop":
        void this.#stop();
        break;
      case "end":
        // Whether it has a module or not: it loads none now, and can be interrupted if it does not go by itself.
        this.#claims.markLoaded();
        this.#means.exit();
        break;
    }
  }

  #describe(type: "loaded" | "described", options: { readonly details: boolean }): void {
    try {
      const services = this.#exports.map(({ exportName, service }): ServiceExport => ({
        exportName,
        manifest: describe(service, options),
      }));
      this.#port.postMessage({ type, services });
    } catch (error) {
      this.#port.postMessage({ type: "unready", failure: withStack(error) });
    }
  }

  async #serve(
    { service: name, config, callTimeout, parentCallsTracked, concurrency, logLevel, parameters: known }:
      ServeMessage,
  ): Promise<void> {
    this.#place = `service ${name}`;
    this.#concurrency = concurrency;
    this.#log = (properties) => createLog({ emit: this.#emit, service: name, level: logLevel, properties });
    try {
      this.#invoker = await Invoker.create(
        this.#exports.find(({ service }) => service.name === name)!.service,
        {
          service: name,
          config,
          callTimeout,
          messenger: this.#messenger,
          log: this.#log({}),
          signal: this.#ending.signal,
        },
        {
          service: name,
          parentCallsTracked,
          logFor: (properties) => this.#log(properties),
        },
        { originalName: this.#originalName, known },
      );
      this.#port.postMessage({ type: "ready", parameters: this.#invoker.parameters });
    } catch (error) {
      this.#port.postMessage({ type: "unready", failure: withStack(error) });
    }
  }

  readonly #emit = (record: LogRecord): void => this.#port.postMessage({ type: "log", record });

  #log: (properties: PlainRecord) => Log = (properties) =>
    createLog({ emit: this.#emit, level: "info", properties });

  #pump(): void {
    while (this.#running.size < this.#concurrency) {
      const message = this.#mailbox.shift();
      if (message === undefined) return;
      if (this.#claims.start(message.slot)) void this.#run(message);
      else this.#port.postMessage({ type: "skipped", slot: message.slot });
    }
  }

  async #run(message: CallMessage): Promise<void> {
    const { slot } = message;
    const invoker = this.#invoker!;
    const call = invoker.scope(message);
    this.#running.set(slot, call);
    const start = performance.now();
    const outcome = await this.#outcomeOf(
      invoker.invoke(message, call, (reply) => this.#stream(slot, reply)),
    );
    this.#running.delete(slot);
    if (outcome.status === "done") {
      const { body, head } = outcome;
      const done = { type: "done", slot, body, elapsed: performance.now() - start } as const;
      this.#port.postMessage(head === undefined ? done : { ...done, head });
    } else if (outcome.status === "failed") {
      const { failure, expected, undecoded } = outcome;
      this.#port.postMessage({ type: "failed", slot, failure, expected, ...(undecoded && { undecoded }) });
    }
    this.#pump();
  }

  /** An invoker does not reject; if it did, the slot would be lost for good. */
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
    this.#port.postMessage({ type: "opened", slot, head });
    try {
      await stream.send(chunks!, (chunk) => this.#port.postMessage({ type: "chunk", slot, chunk }));
    } finally {
      this.#streams.delete(slot);
    }
  }

  async #stop(): Promise<void> {
    this.#ending.abort();
    await this.#invoker?.[Symbol.asyncDispose]();
    this.#port.postMessage({ type: "stopped" });
  }
}

interface FoundService {
  readonly exportName: string;
  readonly service: Service;
}

function servicesOf(module: Readonly<Record<string, unknown>>): readonly FoundService[] {
  const found = new Map<Service, FoundService>();
  for (const [exportName, service] of Object.entries(module)) {
    if (isService(service) && !found.has(service)) found.set(service, { exportName, service });
  }
  return [...found.values()];
}

/** A module that does not load is its author's to mend: the stack goes along in place of the message. */
function withStack(thrown: unknown): ReturnType<typeof describeFailure> {
  const failure = describeFailure(thrown);
  return thrown instanceof Error && thrown.stack !== undefined ? { ...failure, data: thrown.stack } : failure;
}
