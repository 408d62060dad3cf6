import {
  connect as connectNats,
  type JetStreamManager,
  jetstreamManager,
} from "../../../examples/extensions/nats/client_library.ts";
import { NatsTransport } from "../../../examples/extensions/nats/transport.ts";
import type { NatsOptions } from "../../../examples/extensions/nats/transport.ts";
import { Child } from "../../fixtures/child.ts";
import { natsServer } from "../../fixtures/nats_probe.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";

const ROOT = new URL("../../../", import.meta.url);

/** The module of the extension. */
export const EXTENSION = new URL("examples/extensions/nats/nats.ts", ROOT);

const server = await natsServer();

/** A part of the NATS server that one test has for itself. What it leaves there is removed at its end. */
export class NatsStage implements AsyncDisposable {
  readonly prefix = `test-${crypto.randomUUID().slice(0, 8)}`;
  readonly broker: string;
  readonly #stack = new AsyncDisposableStack();

  constructor(uri: string) {
    this.broker = `${uri}/${this.prefix}`;
  }

  /** A connected transport that is closed with the stage. */
  async transport(options?: NatsOptions): Promise<NatsTransport> {
    const transport = this.#stack.use(new NatsTransport(this.broker, options));
    await transport.connect();
    return transport;
  }

  /** A connected transport, and what takes its connection away for good, as the death of its process does. */
  async mortal(
    options?: NatsOptions,
  ): Promise<{ readonly transport: NatsTransport; readonly die: () => Promise<void> }> {
    const proxy = this.#stack.use(await SeverableProxy.open(this.broker));
    const transport = this.#stack.use(new NatsTransport(proxy.uri, options));
    await transport.connect();
    const die = () => {
      proxy.down = true;
      return proxy.sever();
    };
    return { transport, die };
  }

  /** Starts a command of the command line, such as `call` or `dead list`, in a process of its own. */
  start(command: string, ...words: readonly string[]): Child {
    const flags = ["--extension", EXTENSION.pathname, "--broker", this.broker];
    return this.#stack.use(
      new Child(Deno.execPath(), [
        "run",
        "-A",
        "--no-check",
        "cli.ts",
        ...command.split(" "),
        ...flags,
        ...words,
      ], {
        cwd: ROOT.pathname,
        env: { NO_COLOR: "1" },
      }),
    );
  }

  /** Runs a command to its end, and returns what it prints. */
  async run(command: string, ...words: readonly string[]): Promise<string> {
    const { out, err } = await this.start(command, ...words).ended();
    return `${out}${err}`;
  }

  /** Serves modules in a process of its own. */
  async serve(...modules: readonly string[]): Promise<Child> {
    const child = this.start("run", "--log-level", "info", ...modules);
    await child.says("Press Ctrl-C");
    return child;
  }

  /** Encoded names of the queues that the server has. */
  async queues(): Promise<readonly string[]> {
    const prefix = `${this.prefix}=q=`;
    return await this.#withStreams((_manager, names) =>
      Promise.resolve(
        names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length)),
      )
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
    await this.#withStreams(async (manager, names) => {
      for (const name of names) await manager.streams.delete(name);
    });
  }

  /** Uses the streams whose names begin with the prefix of this stage. */
  async #withStreams<Result>(
    work: (manager: JetStreamManager, names: readonly string[]) => Promise<Result>,
  ): Promise<Result> {
    const connection = await connectNats({ servers: new URL(this.broker).host, reconnect: false });
    try {
      const manager = await jetstreamManager(connection);
      const names: string[] = [];
      for await (const name of manager.streams.names()) if (name.startsWith(this.prefix)) names.push(name);
      return await work(manager, names);
    } finally {
      await connection.close();
    }
  }
}

/** Milliseconds that a test may take. */
const TIME_LIMIT = 30_000;

/** Registers a test over NATS, which is ignored where there is no server. */
export function natsTest(name: string, test: (stage: NatsStage) => Promise<void>): void {
  Deno.test({
    name: `nats: ${name}`,
    ignore: server === undefined,
    async fn() {
      await using stage = new NatsStage(server!.uri);
      const { promise: late, reject } = Promise.withResolvers<never>();
      const limit = setTimeout(() => reject(new Error("The test takes longer than 30 s")), TIME_LIMIT);
      try {
        await Promise.race([test(stage), late]);
      } finally {
        clearTimeout(limit);
      }
    },
  });
}
