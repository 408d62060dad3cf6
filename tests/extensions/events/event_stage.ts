import { Metrics } from "../../../runtime/telemetry/metrics.ts";
import {
  type Entrypoint,
  type EntrypointHost,
  hostedEntrypoints,
  invocationOf,
} from "../../../runtime/hosting/host.ts";
import { Section } from "../../../runtime/config/section.ts";
import { eventSettings } from "../../../extensions/events/settings.ts";
import { type DispatchOptions, eventMessage } from "../../../extensions/events/event_message.ts";
import { createEventHost, setUpDispatcher } from "../../../extensions/events/host.ts";
import { Invoker } from "../../../runtime/thread/invoker.ts";
import { createLog, type LogRecord } from "../../../runtime/log/log.ts";
import { describe } from "../../../runtime/service/manifest.ts";
import { deadLetterQueueOf } from "../../../runtime/hosting/message_fate.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import type { Service } from "../../../runtime/service/service.ts";
import type { Topology, Transport } from "../../../runtime/message/transport.ts";
import type { BrokerUnderTest } from "../../../runtime/message/conformance/stage.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";
import { SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";

/** What was handled, in order, and a way to wait for it. */
export class Record<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();

  add(item: T): void {
    this.all.push(item);
    for (const wake of this.#waiting) wake();
  }

  /** Resolves when so many are there; they must come within `patience` milliseconds. */
  async reaches(count: number, patience = 20_000): Promise<readonly T[]> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const wake = () => this.all.length >= count && resolve();
    const limit = setTimeout(
      () => reject(new Error(`Cannot wait for ${count} events: ${this.all.length} came in ${patience} ms`)),
      patience,
    );
    this.#waiting.add(wake);
    wake();
    try {
      await promise;
    } finally {
      clearTimeout(limit);
      this.#waiting.delete(wake);
    }
    return this.all;
  }
}

/** Options of {@linkcode EventStage.serve}. */
interface ServeOptions {
  readonly config?: PlainRecord;
  /** Replaces what runs the handlers. */
  readonly run?: EntrypointHost["run"];
}

/** Where event handlers run on a broker, in this thread. What they declared is removed at the end. */
export class EventStage implements AsyncDisposable {
  /** What all instances have declared. */
  readonly declared: Topology[] = [];
  readonly records: LogRecord[] = [];
  readonly #logged = new Record<string>();
  readonly #broker: BrokerUnderTest;
  readonly #prefix = `enoki_events_${crypto.randomUUID().slice(0, 8)}`;
  readonly #ends: AsyncDisposable[] = [];
  #transport: Transport | undefined;

  constructor(broker: BrokerUnderTest) {
    this.#broker = broker;
  }

  /** A name that nobody else uses. */
  name(name: string): string {
    return `${this.#prefix}_${name}`;
  }

  /** The transport of the test itself. */
  async transport(): Promise<Transport> {
    return this.#transport ??= await this.#open();
  }

  /** Serves one more instance of a service, on a connection of its own. */
  async serve(served: Service, { config = AUTO_DELETE, run }: ServeOptions = {}): Promise<AsyncDisposable> {
    const transport = await this.#open();
    const emit = (record: LogRecord) => {
      this.records.push(record);
      this.#logged.add(record.message);
    };
    const log = createLog({ emit });
    const aborting = new AbortController();
    const messenger = {
      request: () => Promise.reject(new Error("Nobody answers here")),
      publish: transport.publish.bind(transport),
    };
    const shared = { service: served.name, config, log, signal: aborting.signal };
    const settings = eventSettings(new Section(config));
    const invoker = await Invoker.create(served, { ...shared, callTimeout: 30_000, messenger }, {
      service: served.name,
      parentCallsTracked: 10,
      logFor: (fields) => createLog({ emit, ...(fields && { fields }) }),
    });
    const manifest = describe(served);
    const host: EntrypointHost = {
      ...shared,
      transport,
      demand: 10,
      onDemand: () => {},
      metrics: new Metrics(),
      clock: SYSTEM_CLOCK,
      shed: () => {},
      least: () => 0,
      watch: () => {},
      run: run ?? ((entry, payload) => {
        const message = { ...invocationOf(entry, payload), slot: 0 };
        return invoker.invoke(message, invoker.scope(message));
      }),
    };
    const entries = hostedEntrypoints(manifest);
    let entrypoint: Entrypoint;
    try {
      entrypoint = createEventHost(entries, host, settings);
    } catch (error) {
      await transport.close();
      throw error;
    }
    let ended: Promise<void> | undefined;
    const end = async () => {
      await entrypoint.stop();
      await entrypoint[Symbol.asyncDispose]();
      await transport.close();
    };
    const instance = { [Symbol.asyncDispose]: () => ended ??= end() };
    this.#ends.push(instance);
    for (const dependency of manifest.dependencies) {
      if (dependency.kind === "dispatcher") await setUpDispatcher(dependency, host, settings);
    }
    await entrypoint.setup?.();
    await entrypoint.start();
    return instance;
  }

  /** Resolves once a message that starts so has been logged. */
  async logged(start: string): Promise<void> {
    const { all } = this.#logged;
    while (!all.some((message) => message.startsWith(start))) await this.#logged.reaches(all.length + 1);
  }

  /** Dispatches as a program outside any service does. */
  async dispatch(
    source: string,
    type: string,
    payload: unknown,
    options: DispatchOptions = {},
  ): Promise<void> {
    await (await this.transport()).publish(eventMessage(source, type, payload, options));
  }

  /** What was buried of a queue. */
  async dead(queue: string): Promise<Inbox> {
    const inbox = new Inbox();
    const transport = await this.transport();
    await transport.declare({ queues: [{ name: deadLetterQueueOf(queue) }] });
    inbox.consumer = await transport.consume(deadLetterQueueOf(queue), inbox.receiver, { prefetch: 10 });
    return inbox;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) await end[Symbol.asyncDispose]();
    await this.#transport?.close();
    const sweeper = await this.#broker.transport();
    const queues = this.declared.flatMap(({ queues = [] }) => queues.map(({ name }) => name));
    for (const name of new Set(queues)) await sweeper.deleteQueue(name);
    await sweeper.close();
    await this.#broker[Symbol.asyncDispose]();
  }

  async #open(): Promise<Transport> {
    const transport = await this.#broker.transport();
    const declare = transport.declare.bind(transport);
    transport.declare = async (topology) => {
      await declare(topology);
      this.declared.push(topology);
    };
    return transport;
  }
}

/** So that nothing stays behind in a broker that others use. */
export const AUTO_DELETE: PlainRecord = { AUTO_DELETE_EVENT_EXCHANGES: true };
