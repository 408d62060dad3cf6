// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import type { Measurement } from "./load.ts";
import { median } from "./median.ts";
import { lines } from "./peer.ts";

/** Rounds of each load; the two sides take turns, so that a noisy minute hits both. */
const ROUNDS = 3;

/** Milliseconds of each round. */
const DURATION = 3_000;

/** RPC echo over a broker, server and client in two processes, beside bare amqplib. */
export async function benchRpc(broker: string): Promise<void> {
  console.log(
    `RPC echo over RabbitMQ, ${ROUNDS} rounds of ${
      DURATION / 1_000
    } s, medians; ratio of calls/s to bare amqplib`,
  );
  console.log("in flight   side     calls/s    p50 ms    p99 ms    ratio");
  await using enoki = await Side.start("enoki", broker);
  await using bare = await Side.start("bare", broker);
  for (const side of [bare, enoki]) await side.load(50, 1_500);
  for (const inFlight of [1, 50, 200]) {
    const rounds: { readonly bare: Measurement; readonly enoki: Measurement }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({ bare: await bare.load(inFlight, DURATION), enoki: await enoki.load(inFlight, DURATION) });
    }
    const ratio = median(rounds.map(({ bare, enoki }) => enoki.rate / bare.rate));
    for (const name of ["bare", "enoki"] as const) {
      const of = (key: keyof Measurement) => median(rounds.map((round) => round[name][key]));
      console.log(
        `${String(inFlight).padStart(9)}   ${name.padEnd(6)} ${of("rate").toFixed(0).padStart(9)} ${
          of("p50").toFixed(2).padStart(9)
        } ${of("p99").toFixed(2).padStart(9)} ${name === "enoki" ? ratio.toFixed(2).padStart(8) : ""}`,
      );
    }
  }
}

/** A server and a client of one kind, each in its own process. */
class Side implements AsyncDisposable {
  readonly #processes: readonly Deno.ChildProcess[];
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: AsyncGenerator<string>;

  constructor(processes: readonly Deno.ChildProcess[], output: AsyncGenerator<string>) {
    this.#processes = processes;
    this.#input = processes[1]!.stdin.getWriter();
    this.#output = output;
  }

  static async start(kind: string, broker: string): Promise<Side> {
    const server = spawn(["serve", kind, broker]);
    await lines(server.stdout).next();
    const client = spawn(["load", kind, broker]);
    const output = lines(client.stdout);
    await output.next();
    return new Side([server, client], output);
  }

  async load(inFlight: number, duration: number): Promise<Measurement> {
    await this.#input.write(new TextEncoder().encode(`${inFlight} ${duration}\n`));
    const { value } = await this.#output.next();
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    for (const process of this.#processes) process.kill("SIGKILL");
    await Promise.all(this.#processes.map((process) => process.status));
  }
}

function spawn(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", new URL(import.meta.resolve("./peer.ts")).pathname, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}
