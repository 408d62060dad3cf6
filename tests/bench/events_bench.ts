// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import type { Figure } from "./figures.ts";
import { median } from "./median.ts";
import { lines } from "./peer.ts";

/** Rounds; the two sides take turns, so that a noisy minute hits both. */
const ROUNDS = 5;

const EVENTS = 20_000;

/** Events over a broker, emitter and handler in two processes, beside bare amqplib. */
export async function benchEvents(broker: string): Promise<readonly Figure[]> {
  console.log(
    `\nEvents over RabbitMQ, dispatched with confirms, 50 at a time, and handled at prefetch 50; ${ROUNDS} rounds of ` +
      `${EVENTS}, medians; ratio to bare amqplib`,
  );
  await using enoki = await Side.start("enoki", broker);
  await using bare = await Side.start("bare", broker);
  for (const side of [bare, enoki]) await side.rate(EVENTS / 4);
  const rounds: { readonly bare: number; readonly enoki: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({ bare: await bare.rate(EVENTS), enoki: await enoki.rate(EVENTS) });
  }
  const figure = {
    name: "dispatched and handled",
    unit: "events/s",
    enoki: median(rounds.map(({ enoki }) => enoki)),
    bare: median(rounds.map(({ bare }) => bare)),
    ratio: median(rounds.map(({ bare, enoki }) => enoki / bare)),
  };
  console.log("side     events/s    ratio");
  console.log(`bare   ${figure.bare.toFixed(0).padStart(10)}`);
  console.log(`enoki  ${figure.enoki.toFixed(0).padStart(10)} ${figure.ratio.toFixed(2).padStart(8)}`);
  return [figure];
}

/** An emitter and a handler of one kind, each in its own process. */
class Side implements AsyncDisposable {
  readonly #peers: readonly Peer[];

  constructor(peers: readonly Peer[]) {
    this.#peers = peers;
  }

  static async start(kind: string, broker: string): Promise<Side> {
    return new Side([await Peer.start("handle", kind, broker), await Peer.start("emit", kind, broker)]);
  }

  /** Events a second, from the first that is dispatched to the last that is acked. */
  async rate(events: number): Promise<number> {
    const start = performance.now();
    await Promise.all(this.#peers.map((peer) => peer.perform(events)));
    return events / (performance.now() - start) * 1_000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer[Symbol.asyncDispose]()));
  }
}

class Peer implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: AsyncGenerator<string>;

  constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#input = process.stdin.getWriter();
    this.#output = lines(process.stdout);
  }

  static async start(role: string, kind: string, broker: string): Promise<Peer> {
    const script = new URL(import.meta.resolve("./events_peer.ts")).pathname;
    const peer = new Peer(
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-prompt", script, role, kind, broker],
        stdin: "piped",
        stdout: "piped",
        stderr: "inherit",
      }).spawn(),
    );
    await peer.#output.next();
    return peer;
  }

  async perform(events: number): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${events}\n`));
    await this.#output.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}
