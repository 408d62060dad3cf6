import { requireDuration } from "../../runtime/waiting/duration.ts";
import { setImmediate as nextTurn } from "node:timers/promises";
import { abortable, timeLimit } from "../../runtime/waiting/abort.ts";
import { didYouMean, nearestNames } from "../../runtime/service/options/nearest_names.ts";
import type { Contract } from "../../runtime/service/service.ts";
import type { ServiceContainer } from "../../runtime/serving/service_container.ts";
import type { Connection } from "../connect.ts";
import type { DispatchOptions } from "../events/event_message.ts";
import { outgoingMessage, type PublishOptions } from "../messaging/outgoing_message.ts";
import type { CallOptions, Client } from "../rpc/client.ts";
import type { Running } from "../serve.ts";
import type { ConnectSocketOptions, SocketClient } from "../websocket/browser/socket_client.ts";
import { outcomeOf, type TestCallOutcome } from "./call_content.ts";
import type { CallJournal, TestCall } from "./call_journal.ts";
import type { MethodFilter } from "./entrypoint_pattern.ts";
import { type IdleParts, untilIdle } from "./idle.ts";
import type { IdleOptions, WaitForOptions } from "./test_app.ts";
import type { Fire } from "./watched_entrypoints.ts";
import { given } from "../../runtime/message/plain.ts";
import type { Payloads } from "../../runtime/message/payload/payloads.ts";

/** The parts of a {@linkcode RunningApp}, which owns them. */
export interface RunningAppParts extends IdleParts {
  readonly serving: Running;
  readonly connection: Connection;
  readonly payloads: Payloads;
  readonly fires: ReadonlyMap<string, Fire>;
  readonly isStarted: MethodFilter;
  /** Milliseconds that a wait may take. */
  readonly timeout: number;
}

/** Services that run for a test: a {@linkcode TestApp} without the types of its services. */
export class RunningApp implements AsyncDisposable {
  readonly #parts: RunningAppParts;
  readonly #responses: Response[] = [];
  readonly #sockets: AsyncDisposable[] = [];
  readonly #ending = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(parts: RunningAppParts) {
    this.#parts = parts;
    parts.serving.finished.catch((error) => this.#ending.abort(error));
  }

  get calls(): readonly TestCall[] {
    return [...this.#journal.ended];
  }

  get http(): string | undefined {
    return this.#parts.serving.http;
  }

  get containers(): ReadonlyMap<string, ServiceContainer> {
    return this.#parts.serving.containers;
  }

  async call(path: string, ...args: readonly unknown[]): Promise<unknown> {
    const [service, method] = this.#split(path, "call");
    return await this.#journal.ask(() => this.#parts.connection.method(service, method)(...args));
  }

  client<Target = unknown>(target: string | Contract, options?: CallOptions): Client<Target> {
    return this.#parts.connection.client(target as never, options);
  }

  async dispatch(
    source: string | Contract,
    type: string,
    payload: unknown,
    options?: DispatchOptions,
  ): Promise<void> {
    const name = typeof source === "string" ? source : source.name;
    await this.#journal.ask(() => this.#parts.connection.dispatch(name, type, payload, options));
  }

  async publish(payload: unknown, { signal, ...options }: PublishOptions): Promise<void> {
    const { transport, payloads: { serializer } } = this.#parts;
    const message = outgoingMessage(payload, { serializer, ...given(options) }, {});
    await this.#journal.ask(() => transport.publish(message, signal && { signal }));
  }

  async fetch(path: string, init?: RequestInit): Promise<Response> {
    const url = this.#url("send a request", path);
    const response = await this.#journal.ask(() => fetch(url, init));
    this.#responses.push(response);
    return response;
  }

  async socket<Target = unknown>(
    path = "/ws",
    options: ConnectSocketOptions = {},
  ): Promise<SocketClient<Target>> {
    const url = this.#url("open a WebSocket", path);
    const paths = this.#entrypoints.flatMap(({ kind, path }) => kind === "websocket" ? [path] : []);
    if (!paths.includes(url.pathname)) {
      throw new TypeError(
        `Cannot open a WebSocket at "${path}": ${
          paths.length === 0
            ? "no service here has WebSocket entrypoints"
            : `the services here have only ${[...new Set(paths)].join(", ")}`
        }`,
      );
    }
    const { connectSocket } = await import("../websocket/browser/connect_socket.ts");
    const socket = connectSocket<Target>(url, options);
    this.#sockets.push(socket);
    const { promise: connected, resolve } = Promise.withResolvers<void>();
    (socket as SocketClient<unknown>).on("connected", () => resolve());
    using limit = this.#limit(this.#parts.timeout);
    await this.#journal.ask(() => abortable(connected, limit.signal));
    return socket;
  }

  async fire(path: string): Promise<TestCallOutcome<undefined>> {
    const fire = this.#parts.fires.get(path);
    if (fire === undefined) {
      const names = [...this.#parts.fires.keys()];
      throw new TypeError(
        `Cannot fire "${path}": ${
          names.length === 0
            ? "no timer and no cron is started here"
            : `the timers and crons here are ${names.join(", ")}`
        }${didYouMean(nearestNames(path, names))}`,
      );
    }
    const outcome = await this.#journal.ask(fire);
    if (outcome.status === "unstarted") {
      throw new TypeError(`Cannot fire "${path}": the services are being stopped`);
    }
    return await outcomeOf("timer", outcome, this.#parts.payloads) as TestCallOutcome<undefined>;
  }

  async waitFor(
    path: string,
    { where = () => true, signal, ...others }: WaitForOptions<TestCall> = {},
  ): Promise<TestCall> {
    const timeout = requireDuration(
      `Cannot wait for a call of "${path}"`,
      "timeout",
      others.timeout ?? this.#parts.timeout,
    );
    const [service, method] = this.#split(path, "wait for a call of");
    this.#requireStarted(path, service, method);
    const suits = (call: TestCall) => call.service === service && call.method === method && where(call);
    using limit = this.#limit(timeout, signal);
    try {
      return await this.#journal.take(suits, limit.signal);
    } catch (error) {
      if (error !== limit.signal.reason || !isOwnTimeout(error, limit.signal)) throw error;
      throw new DOMException(
        `Cannot wait for a call of "${path}": none that suits has ended within ${timeout} ms. ${this.#news()}`,
        "TimeoutError",
      );
    }
  }

  async idle({ signal, ...others }: IdleOptions = {}): Promise<void> {
    const given = others.timeout ?? this.#parts.timeout;
    const timeout = requireDuration("Cannot wait until nothing is under way", "timeout", given);
    await untilIdle(this.#parts, { timeout, signal: this.#endingOr(signal) });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#ending.abort(new DOMException("The services of the test have been stopped", "AbortError"));
    const { connection, serving } = this.#parts;
    await Promise.all(this.#sockets.map((socket) => socket[Symbol.asyncDispose]()));
    await connection.close();
    await Promise.all(
      this.#responses.map(async ({ body }) => {
        // What the test reads at this moment is the affair of the test.
        if (body !== null && !body.locked) await body.cancel();
      }),
    );
    await serving.shutdown();
    // The last verdicts are told one turn later.
    await nextTurn();
  }

  get #journal(): CallJournal {
    return this.#parts.journal;
  }

  get #entrypoints(): readonly { readonly name: string; readonly kind: string; readonly path: unknown }[] {
    return [...this.containers].flatMap(([service, { manifest }]) =>
      manifest.entrypoints
        .filter(({ method }) => this.#parts.isStarted(service, method))
        .map(({ method, kind, options }) => ({ name: `${service}.${method}`, kind, path: options["path"] }))
    );
  }

  #limit(timeout: number, signal?: AbortSignal) {
    return timeLimit(timeout, this.#endingOr(signal));
  }

  /** A signal that aborts with the given one, and when the services end. */
  #endingOr(signal: AbortSignal | undefined): AbortSignal {
    const { signal: ending } = this.#ending;
    return signal === undefined ? ending : AbortSignal.any([ending, signal]);
  }

  #url(action: string, path: string): URL {
    const { http } = this.#parts.serving;
    if (http !== undefined) return new URL(path, http);
    throw new TypeError(
      `Cannot ${action} at "${path}": no service here has HTTP or WebSocket entrypoints that are started`,
    );
  }

  #split(path: string, action: string): readonly [service: string, method: string] {
    const [service, method, ...others] = path.split(".");
    if (service && method && others.length === 0) return [service, method];
    throw new TypeError(
      `Cannot ${action} "${path}": it names no method. Write service.method, such as "orders.place"`,
    );
  }

  #requireStarted(path: string, service: string, method: string): void {
    const names = this.#entrypoints.map(({ name }) => name);
    if (names.includes(path)) return;
    const isLeftOut = this.containers.get(service)?.manifest.entrypoints.some((each) =>
      each.method === method
    );
    throw new TypeError(
      `Cannot wait for a call of "${path}": ${
        isLeftOut ? 'the option "only" leaves it out' : "no service here has this method"
      }${didYouMean(nearestNames(path, names))}`,
    );
  }

  /** Says which calls have ended that nobody has waited for, and which run. */
  #news(): string {
    const { ended, running } = this.#journal;
    const counts = Map.groupBy(
      ended,
      ({ service, method, outcome }) => `${service}.${method}${outcome.ok ? "" : " (failed)"}`,
    );
    const texts = [...counts].map(([name, calls]) => calls.length === 1 ? name : `${calls.length} × ${name}`);
    return `Ended: ${texts.join(", ") || "nothing else"}; running: ${
      running.map(({ service, method }) => `${service}.${method}`).join(", ") || "nothing"
    }`;
  }
}

function isOwnTimeout(error: unknown, { aborted }: AbortSignal): boolean {
  return aborted && error instanceof DOMException && error.name === "TimeoutError";
}
