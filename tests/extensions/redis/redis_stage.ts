import { connect, type Connection } from "../../../extensions/connect.ts";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { serverOf } from "../../../extensions/redis/settings.ts";
import { type HeldConnection, holdConnection } from "../../../extensions/redis/shared_connection.ts";
import { type Config, run, type Running } from "../../../extensions/run.ts";
import type { Plain } from "../../../runtime/message/plain.ts";
import { configureLogging, getLog } from "../../../runtime/log/observe.ts";

const SERVICES = new URL("./redis_service.ts", import.meta.url).pathname;

/** Milliseconds that a line of the log is waited for. */
const PATIENCE = 20_000;

/** The log of everything that runs in this process, from when it is made. */
export class LogLines {
  readonly #lines: string[] = [];
  readonly #looking = new Set<() => void>();

  constructor() {
    configureLogging({
      format: "json",
      write: (line) => {
        this.#lines.push(JSON.parse(line).message);
        for (const look of this.#looking) look();
      },
    });
  }

  /** All messages so far that fit. */
  all(pattern: RegExp): readonly string[] {
    return this.#lines.filter((line) => pattern.test(line));
  }

  /** Resolves when so many messages fit. */
  async line(pattern: RegExp, count = 1): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const look = () => {
      const found = this.all(pattern);
      if (found.length >= count) resolve(found.at(-1)!);
    };
    const limit = setTimeout(
      () => reject(new Error(`Nothing logged ${pattern} ${count} times: ${this.#lines.join("\n")}`)),
      PATIENCE,
    );
    this.#looking.add(look);
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(limit);
      this.#looking.delete(look);
    }
  }
}

/** Services that use a Redis, and what of them is there, which is removed at the end. */
export class RedisStage implements AsyncDisposable {
  /** Text in all keys of the stage. */
  readonly prefix: string = `enoki-test-${crypto.randomUUID().slice(0, 8)}`;
  readonly #broker = new MemoryBroker();
  readonly #stack = new AsyncDisposableStack();
  #keys: HeldConnection | undefined;
  #cluster: Connection | undefined;
  readonly #running: Running[] = [];

  /**
   * Serves some of the services of `redis_service.ts`.
   *
   * @param uri Redis that all of them use.
   */
  static async serve(uri: string, services: readonly string[], config: Config = {}): Promise<RedisStage> {
    const stage = new RedisStage();
    stage.#keys = stage.#stack.use(hold(uri));
    stage.#stack.defer(() => stage.#clean());
    await stage.run(services, { REDIS: uri, ...config });
    return stage;
  }

  /** Serves more of them, as another process would. */
  async run(services: readonly string[], config: Config): Promise<Running> {
    const running = await run(services.map((service) => `${SERVICES}:${service}`), {
      broker: memory({ broker: this.#broker }),
      config: { max_workers: 1, ...config },
      threads: { kind: "node", permissions: "all" },
    });
    this.#running.push(this.#stack.use(running));
    const headers = { prefix: this.prefix };
    this.#cluster ??= this.#stack.use(await connect({ broker: memory({ broker: this.#broker }), headers }));
    return running;
  }

  get cluster(): Connection {
    return this.#cluster!;
  }

  /** Sends a command beside the services. */
  command(...args: readonly [name: string, ...others: (string | Uint8Array)[]]): Promise<unknown> {
    return this.#keys!.connection.command(args, args[1] === undefined ? {} : { key: String(args[1]) });
  }

  /** Stops all services politely. */
  async stop(): Promise<void> {
    await Promise.all(this.#running.map((running) => running.shutdown()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }

  async #clean(): Promise<void> {
    try {
      const keys = await this.command("KEYS", `*${this.prefix}*`) as readonly string[];
      for (const key of keys) await this.command("DEL", key);
    } catch {
      // A Redis that is away, or that is a cluster, goes with the test.
    }
  }
}

/** A connection to a Redis for the test itself. */
export function hold(REDIS: Plain): HeldConnection {
  const server = serverOf({ REDIS }, { service: "test", used: "hold()" });
  return holdConnection(server, getLog("test"));
}
