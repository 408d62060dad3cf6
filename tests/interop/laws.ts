/**
 * Laws about Nameko and Enoki on one broker.
 *
 * The laws of a file share one Python process and the services that the file has started there. All laws run with one
 * set of versions of Nameko and kombu; those that are `core`, also with the others. `deno task interop` runs all laws
 * with all versions (`NAMEKO_VERSIONS=all`).
 *
 * Which laws stand where:
 *
 * - `python_calls_test.ts`: Python calls us: arguments, results, errors, context data, call id stack, requests that are
 *   no requests.
 * - `enoki_calls_test.ts`: we call Python: the same, and waiting, time limits, the reply queue, `rpc_exchange`.
 * - `nameko_test.ts`: chains of both in threads, and the frames of requests and replies. `payloads_test.ts`: compression,
 *   MessagePack, large integers, dates and bytes in context data. `nameko_retry_test.ts`: nameko-amqp-retry.
 * - `events_test.ts`: handlers and dispatchers of every kind, queues that both share, failures, properties.
 * - `messaging_test.ts`: queues, exchanges, publishers, consumers, serializers.
 * - `http_test.ts`, `shell_test.ts`: the same HTTP entrypoints in both; `nameko shell`.
 * - `takeover_test.ts`: a service moves from one runtime to the other.
 * - Beside the extensions: `websocket/nameko_test.ts`, `messaging/nameko_test.ts` (kombu's and RabbitMQ's tutorials),
 *   `decorators/nameko_examples_test.ts`. What needs no Python to be proved (types of header fields, names of queues,
 *   the error object, timers, the configuration's YAML) is tested there, too.
 */
import { amqp } from "../../extensions/amqp/mod.ts";
import {
  connect,
  type Connection,
  type ConnectOptions,
  run,
  type Running,
  type RunOptions,
} from "../../extensions/run.ts";
import type { Transport } from "../../runtime/message/transport.ts";
import type { Service } from "../../runtime/service/service.ts";
import {
  NAMEKO,
  type NamekoAnswer,
  namekoTest,
  type NamekoVersions,
  OTHER_NAMEKO,
} from "../fixtures/nameko.ts";
import { NamekoWorld, type PythonNames } from "../fixtures/nameko_world.ts";

/** A law, and how it is proved. */
export interface Law<Stage> {
  readonly law: string;
  /** Whether it is proved with all versions of Nameko and kombu. @default {false} */
  readonly core?: boolean;
  readonly prove: (stage: Stage) => Promise<void>;
}

/** Registers the laws of a file. `setUp` starts on each stage what all of them need. */
export function namekoLaws<Extra>(
  title: string,
  setUp: (stage: InteropStage) => Promise<Extra>,
  laws: readonly Law<InteropStage & Extra>[],
): void {
  const all = Deno.env.get("NAMEKO_VERSIONS") === "all";
  for (const versions of [NAMEKO, ...OTHER_NAMEKO]) {
    const chosen = all || versions === NAMEKO ? laws : laws.filter(({ core }) => core);
    if (chosen.length === 0) continue;
    namekoTest(`${title} (${versions.name})`, async (uri, test) => {
      await using stage = await InteropStage.open(uri, versions);
      const complete = Object.assign(stage, await setUp(stage));
      for (const { law, prove } of chosen) await test.step(law, () => prove(complete));
    });
  }
}

/** Options of {@linkcode InteropStage.ours}. */
export type OursOptions = Omit<RunOptions, "broker">;

/** Python's world and ours on one broker. What its laws have started, it ends; what they name, it removes. */
export class InteropStage implements AsyncDisposable {
  readonly uri: string;
  readonly versions: NamekoVersions;
  /** Names that all expressions of Python may use. */
  readonly names: Record<string, unknown> = {};
  readonly #world: NamekoWorld;
  readonly #prefix = `enoki_interop_${crypto.randomUUID().slice(0, 8)}`;
  readonly #ends = new AsyncDisposableStack();
  readonly #queues = new Set<string>();
  readonly #exchanges = new Set<string>();
  #names = 0;
  #transport: Promise<Transport> | undefined;

  constructor(uri: string, versions: NamekoVersions, world: NamekoWorld) {
    this.uri = uri;
    this.versions = versions;
    this.#world = world;
    // While Nameko runs, it declares again what it consumes.
    this.#ends.defer(() => this.#sweepQueues());
    this.#ends.use(world);
    this.#ends.defer(async () => {
      await world.eval("sweep_exchanges(names)", { names: [...this.#exchanges] });
    });
  }

  static async open(uri: string, versions: NamekoVersions): Promise<InteropStage> {
    return new InteropStage(uri, versions, await NamekoWorld.start(versions, uri));
  }

  /** A name that nobody else has; what a service of that name declares is removed at the end. */
  name(kind: string): string {
    const own = `${this.#prefix}_${kind}${++this.#names}`;
    this.removes(`rpc-${own}`, `enoki.dead.rpc-${own}`);
    this.#exchanges.add(`${own}.events`);
    return own;
  }

  /** Has queues removed at the end. */
  removes(...queues: readonly string[]): void {
    for (const queue of queues) this.#queues.add(queue);
  }

  /** Has an exchange removed at the end. */
  removesExchange(name: string): void {
    this.#exchanges.add(name);
  }

  /** Evaluates an expression of Python. */
  python(expression: string, names?: PythonNames): Promise<unknown> {
    return this.#world.eval(expression, { ...this.names, ...names });
  }

  /** Evaluates an expression of Python that may raise. */
  answer(expression: string, names?: PythonNames): Promise<NamekoAnswer> {
    return this.#world.answer(expression, { ...this.names, ...names });
  }

  /** Serves services of ours. Whoever disposes of them earlier than the stage may do so. */
  async ours(services: readonly Service[], options: OursOptions = {}): Promise<Running> {
    const config = { AUTO_DELETE_EVENT_EXCHANGES: true, ...options.config };
    return this.#ends.use(
      await run(services, { ...options, config, broker: this.uri, threads: { kind: "inline" } }),
    );
  }

  /** Opens a client of ours. */
  async cluster(options: Omit<ConnectOptions, "broker"> = {}): Promise<Connection> {
    return this.#ends.use(await connect({ timeout: 20_000, ...options, broker: this.uri }));
  }

  /** The transport of the laws themselves. */
  transport(): Promise<Transport> {
    return this.#transport ??= this.#connect();
  }

  async #sweepQueues(): Promise<void> {
    await using transport = amqp(this.uri);
    await transport.connect();
    for (const queue of this.#queues) await transport.deleteQueue(queue);
  }

  async #connect(): Promise<Transport> {
    const transport = this.#ends.use(amqp(this.uri));
    await transport.connect();
    return transport;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ends.disposeAsync();
  }
}
