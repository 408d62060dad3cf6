/**
 * A service of Nameko is replaced by one of Enoki while callers call and events happen, and back again.
 *
 * Both instances serve the same queues for a while, then the old one gets SIGTERM. No call fails. Each event is handled
 * at least once: Nameko closes its connection while its last handlers still run, and the broker delivers again what
 * they had not acknowledged. Whoever handles an event twice, such as the ledger here, has to notice.
 */
import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { dispatcher, rpc, service } from "../../mod.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import { Child } from "../fixtures/child.ts";
import { namekoPython, namekoScript } from "../fixtures/nameko.ts";
import { servicePath } from "../fixtures/serve_in_memory.ts";
import { type InteropStage, namekoLaws } from "./laws.ts";

configureLogging({ write: () => {} });

/** Milliseconds in which the last events have to be handled, on a busy machine. */
const PATIENCE = 20_000;

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The two runtimes that may serve. */
type Runtime = "python" | "enoki";

/** Callers and sources of events of both runtimes, at work until they are told to stop. */
class Traffic {
  /** The numbers of the events that were sent. */
  readonly sent: string[] = [];
  readonly failures: unknown[] = [];
  /** What has been answered: by which runtime, to a caller of which runtime. */
  readonly answers = {
    "enoki to enoki": 0,
    "enoki to python": 0,
    "python to enoki": 0,
    "python to python": 0,
  };
  readonly #stage: InteropStage;
  readonly #name: string;
  readonly #working: Promise<void>[] = [];
  #ending = false;
  #waking = Promise.withResolvers<void>();

  constructor(stage: InteropStage, name: string) {
    this.#stage = stage;
    this.#name = name;
  }

  /** Begins to call and to dispatch, from both runtimes. */
  async begin(): Promise<void> {
    const names = { name: this.#name, source: `${this.#name}_python` };
    const emits = service(`${this.#name}_enoki`, {
      dependencies: { emit: dispatcher() },
      entrypoints: { emit: rpc() },
      handlers: { emit: ({ emit }, payload: string) => emit("happened", payload) },
    });
    await this.#stage.ours([emits]);
    await this.#stage.python("serve('emitter', source)", names);
    const cluster = await this.#stage.cluster();
    const takeover = cluster.client(this.#name);
    const ours = cluster.client(`${this.#name}_enoki`);
    const sends = (kind: string, send: (payload: string) => Promise<unknown>) =>
      this.#loop(async (number) => {
        await send(`${kind}-${number}`);
        this.sent.push(`${kind}-${number}`);
      });
    for (const caller of [1, 2, 3]) {
      this.#loop(async (number) => this.#answered("enoki", await takeover["work"]!(caller * 1e6 + number)));
    }
    for (const caller of [1, 2]) {
      // One proxy for each caller, as a program of Python has it: it makes five calls by it in turn.
      this.#loop(async (number) => {
        const answers = await this.#stage.python("calls_in_turn(name, 'work', first, 5)", {
          ...names,
          first: caller * 1e6 + number * 5,
        });
        for (const answer of answers as unknown[]) this.#answered("python", answer);
      });
    }
    sends("service-enoki", (payload) => ours["emit"]!(payload));
    sends("outside-enoki", (payload) => cluster.dispatch(`${this.#name}_enoki`, "happened", payload));
    sends(
      "service-python",
      (payload) => this.#stage.python("call(source, 'emit', 'happened', payload)", { ...names, payload }),
    );
    sends(
      "outside-python",
      (payload) => this.#stage.python("dispatch(source, 'happened', payload)", { ...names, payload }),
    );
  }

  /** Makes a call that takes longer than a stopping Nameko keeps its connection, from both runtimes. */
  longCalls(cluster: Awaited<ReturnType<InteropStage["cluster"]>>): Promise<unknown> {
    const names = { name: this.#name };
    return Promise.all([
      cluster.client(this.#name)["work_long"]!(-1),
      this.#stage.python("call(name, 'work_long', -1)", names),
    ].map((call) => call.catch((error) => this.failures.push(error))));
  }

  /** Resolves when a runtime has answered so many more calls of callers of both. */
  async answeredBy(runtime: Runtime, count: number): Promise<void> {
    const before = { ...this.answers };
    const enough = (caller: Runtime) => {
      const key = `${runtime} to ${caller}` as const;
      return this.answers[key] - before[key] >= count;
    };
    while (!(enough("enoki") && enough("python")) && this.failures.length === 0) await this.#waking.promise;
  }

  /** Ends all of it. */
  async end(): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#working);
  }

  #answered(caller: Runtime, answer: unknown): void {
    const [runtime] = answer as readonly [Runtime, number];
    this.answers[`${runtime} to ${caller}`]++;
    this.#waking.resolve();
    this.#waking = Promise.withResolvers();
  }

  #loop(turn: (number: number) => Promise<void>): void {
    const work = async () => {
      for (let number = 0; !this.#ending; number++) {
        await turn(number);
        // As fast as they go, there would be more events than Python can handle.
        await pause(25);
      }
    };
    this.#working.push(
      work().catch((error) => {
        this.failures.push(error);
        this.#waking.resolve();
      }),
    );
  }
}

/** Starts an instance as its runtime's command does. */
async function start(
  runtime: Runtime,
  stage: InteropStage,
  env: Readonly<Record<string, string>>,
): Promise<Child> {
  if (runtime === "enoki") {
    const cli = new URL("../../cli.ts", import.meta.url).pathname;
    const child = new Child(Deno.execPath(), [
      "run",
      "-A",
      "--no-check",
      cli,
      "run",
      "-A",
      "--config",
      `${env["TAKEOVER_FOLDER"]}/nameko.yaml`,
      servicePath("takeover.ts"),
    ], { env: { ...env, NO_COLOR: "1" } });
    await child.says("Ready on");
    return child;
  }
  const { command, env: python } = await namekoPython(stage.versions);
  const script = namekoScript("takeover.py");
  const child = new Child(
    command,
    ["-W", "ignore", "-m", "nameko", "run", "--config", `${env["TAKEOVER_FOLDER"]}/nameko.yaml`, "takeover"],
    {
      cwd: script.slice(0, script.lastIndexOf("/")),
      env: { ...env, ...python, PYTHONDONTWRITEBYTECODE: "1" },
    },
  );
  await child.says("Connected to");
  return child;
}

/** Ends an instance as whoever deploys does. */
async function terminate(child: Child): Promise<void> {
  child.kill("SIGTERM");
  const { code, err } = await child.ended();
  equal(code, 0, err);
}

namekoLaws("A service moves from one runtime to the other", () => Promise.resolve({}), [
  {
    law: "without a failed call or a lost event, and back",
    async prove(stage) {
      const name = stage.name("takeover");
      for (const source of [`${name}_enoki`, `${name}_python`]) {
        stage.removes(`evt-${source}-happened--${name}.note`, `rpc-${source}`);
        stage.removesExchange(`${source}.events`);
      }
      const folder = await Deno.makeTempDir({ prefix: "enoki-takeover-" });
      const ledger = `${folder}/ledger`;
      await Deno.writeTextFile(
        `${folder}/nameko.yaml`,
        `AMQP_URI: ${stage.uri}\nAUTO_DELETE_EVENT_EXCHANGES: true\n`,
      );
      const env = { TAKEOVER_SERVICE: name, TAKEOVER_LEDGER: ledger, TAKEOVER_FOLDER: folder };
      const traffic = new Traffic(stage, name);
      const long = await stage.cluster();
      try {
        await using children = new AsyncDisposableStack();
        let serving = children.use(await start("python", stage, env));
        await traffic.begin();
        await traffic.answeredBy("python", 5);
        for (const next of ["enoki", "python"] as const) {
          const replacement = children.use(await start(next, stage, env));
          await traffic.answeredBy(next, 5);
          const calls = traffic.longCalls(long);
          await terminate(serving);
          await traffic.answeredBy(next, 5);
          await calls;
          serving = replacement;
        }
        await traffic.end();
        deepStrictEqual(traffic.failures, []);
        ok(Object.values(traffic.answers).every((count) => count > 0), Deno.inspect(traffic.answers));
        let lost = traffic.sent;
        // The last events may still be on their way.
        for (const end = Date.now() + PATIENCE; lost.length > 0 && Date.now() < end;) {
          await pause(20);
          const lines = (await Deno.readTextFile(ledger)).split("\n");
          const handled = new Set(lines.map((line) => line.split(" ")[1]));
          lost = lost.filter((payload) => !handled.has(payload));
        }
        deepStrictEqual(lost, []);
        const runtimes = (await Deno.readTextFile(ledger)).trim().split("\n").map((line) =>
          line.split(" ")[0]
        );
        deepStrictEqual([...new Set(runtimes)].toSorted(), ["enoki", "python"]);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  },
]);
