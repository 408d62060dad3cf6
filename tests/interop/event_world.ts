/** Events between both runtimes, for the laws about them. */
import { ok } from "node:assert/strict";
import {
  type Dispatcher,
  dispatcher,
  type DispatcherOptions,
  event,
  type EventOptions,
  rpc,
  type Service,
  service,
} from "../../mod.ts";
import type { Connection, Running } from "../../extensions/run.ts";
import type { Delivery, FieldTable } from "../../runtime/message/transport.ts";
import { Record } from "../extensions/events/event_stage.ts";
import type { InteropStage } from "./laws.ts";

/** What a handler got, of either runtime. */
export interface Got {
  readonly service: string;
  readonly method: string;
  readonly payload: unknown;
  readonly data: { readonly [key: string]: unknown };
  readonly stack: readonly string[];
}

/** A handler: its method, the type of its events, and options that both runtimes have. */
export interface Handler {
  readonly method: string;
  readonly type: string;
  readonly options?: EventOptions & { readonly failing?: readonly unknown[] };
}

/** Handlers and dispatchers of both runtimes. */
export class EventWorld {
  readonly stage: InteropStage;
  readonly connected: Connection;
  /** What handlers of ours got. */
  got = new Record<Got>();

  constructor(stage: InteropStage, connected: Connection) {
    this.stage = stage;
    this.connected = connected;
  }

  name(kind: string): string {
    return this.stage.name(kind);
  }

  /** Serves handlers of ours. */
  ours(name: string, source: string, handlers: readonly Handler[]): Promise<Running> {
    this.#removes(name, source, handlers);
    return this.stage.ours([this.#listener(name, source, handlers)]);
  }

  #listener(name: string, source: string, handlers: readonly Handler[]): Service {
    return service(name, {
      entrypoints: Object.fromEntries(handlers.map(({ method, type, options = {} }) => {
        const { failing: _, ...rest } = options;
        return [method, event(source, type, rest)];
      })),
      handlers: Object.fromEntries(handlers.map(({ method, options = {} }) => [
        method,
        (
          { call }: {
            readonly call: {
              readonly headers: { readonly traceparent?: unknown };
              readonly stack: readonly string[];
            };
          },
          payload: unknown,
        ) => {
          const { traceparent: _, ...data } = call.headers;
          this.got.add({ service: name, method, payload, data, stack: [...call.stack] });
          if (options.failing?.includes(payload)) throw new Error(`no ${payload}`);
        },
      ])),
    }) as unknown as Service;
  }

  /** Serves handlers of Python. */
  async python(name: string, source: string, handlers: readonly Handler[]): Promise<void> {
    this.#removes(name, source, handlers);
    const theirs = handlers.map(({ method, type, options = {} }) => {
      const { delivery, reliable, requeueOnError, broadcastId, failing } = options;
      return [method, type, {
        ...(delivery !== undefined && { delivery }),
        ...(requeueOnError !== undefined && { requeue_on_error: requeueOnError }),
        ...(broadcastId !== undefined && { identifier: broadcastId }),
        ...(failing !== undefined && { failing }),
        reliable_delivery: reliable ?? delivery !== "broadcast",
      }];
    });
    await this.stage.python("serve('event_listener', name, source, handlers)", {
      name,
      source,
      handlers: theirs,
    });
  }

  /** The next that a handler of Python got. */
  async next(): Promise<Got> {
    const [service, method, payload, { data, stack }] = await this.stage.python("next_received()") as [
      string,
      string,
      unknown,
      Got,
    ];
    return { service, method, payload, data, stack };
  }

  /** The payloads of so many that handlers of Python got. */
  async payloads(count: number): Promise<readonly unknown[]> {
    const found = [];
    while (found.length < count) found.push((await this.next()).payload);
    return found;
  }

  /** The payloads that both runtimes got, once they are so many together; each has to have had one. */
  async shared(count: number): Promise<readonly unknown[]> {
    const theirs: unknown[] = [];
    while (theirs.length + this.got.all.length < count) {
      theirs.push(...await this.stage.python("payloads_so_far(0.05)") as readonly unknown[]);
    }
    ok(theirs.length > 0 && this.got.all.length > 0, `${theirs.length} and ${this.got.all.length}`);
    return [...theirs, ...this.got.all.map(({ payload }) => payload)];
  }

  /** Forgets what was got. */
  async forget(): Promise<void> {
    this.got = new Record();
    await this.stage.python("forget_received()");
  }

  /** Serves a service of ours that dispatches, and returns what makes it do so. */
  async emitter(
    name: string,
    options?: DispatcherOptions,
  ): Promise<(type: string, payload: unknown, headers?: FieldTable) => Promise<unknown>> {
    const emits = service(name, {
      dependencies: { emit: dispatcher(options) },
      entrypoints: { emit: rpc() },
      handlers: {
        emit: ({ emit }: { readonly emit: Dispatcher<never> }, type: string, payload: unknown) =>
          (emit as (type: string, payload: unknown) => Promise<void>)(type, payload),
      },
    });
    await this.stage.ours([emits as unknown as Service]);
    const client = this.connected.client(name);
    return (type: string, payload: unknown, headers: FieldTable = {}) =>
      client["emit"]!.with({ headers })(type, payload);
  }

  /** Takes the first message from a queue that is bound to all events of a source. */
  async tap(source: string): Promise<{ next(): Promise<Delivery>; stop(): Promise<void> }> {
    const { stage } = this;
    const transport = await stage.transport();
    const queue = `${source}_tap`;
    stage.removes(queue);
    await transport.declare({
      exchanges: [{ name: `${source}.events`, type: "topic", autoDelete: true }],
      queues: [{ name: queue }],
      bindings: [{ queue, exchange: `${source}.events`, routingKey: "#" }],
    });
    const found = new Record<Delivery>();
    const consumer = await transport.consume(queue, (delivery) => {
      found.add(delivery);
      return Promise.resolve("ack");
    }, { prefetch: 10 });
    return { next: async () => (await found.reaches(1))[0]!, stop: () => consumer.stop() };
  }

  #removes(name: string, source: string, handlers: readonly Handler[]): void {
    this.stage.removesExchange(`${source}.events`);
    for (const { method, type } of handlers) {
      const queue = `evt-${source}-${type}--${name}.${method}`;
      this.stage.removes(queue, `${queue}-here`, `evt-${source}-${type}`, `enoki.dead.${queue}`);
    }
  }
}
