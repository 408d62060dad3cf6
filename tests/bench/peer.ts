// deno-lint-ignore-file no-console -- a benchmark prints what it measured
/**
 * One side of the benchmark in a process of its own: `serve <kind> <broker>` or `load <kind> <broker>`, of a kind of
 * `bare.ts`, of kind `enoki`, `transient`, whose calls are, `untold`, which is Enoki without telemetry, or `process`,
 * whose service has a process of its own.
 *
 * A server prints `ready`. A loader reads lines `<in flight> <milliseconds>` and answers each with a measurement
 * as JSON.
 */
import { connect, run } from "../../extensions/run.ts";
import { BARE, connectBare, serveBare } from "./bare.ts";
import type service from "./echo_service.ts";
import { type Echo, load } from "./load.ts";

/** The configuration of servers of some kinds. What the others are compared with has no process of its own, either. */
const CONFIGS: Readonly<Record<string, Readonly<Record<string, string | boolean>>>> = {
  untold: { isolation: "threads", telemetry: false },
  process: { isolation: "process" },
};

const THREADS = { isolation: "threads" };

async function serve(kind: string, broker: string): Promise<void> {
  if (kind in BARE) await serveBare(kind, broker);
  else {
    const config = CONFIGS[kind] ?? THREADS;
    await run([`${import.meta.resolve("./echo_service.ts")}:${serviceOf(kind)}`], { broker, config });
  }
  console.log("ready");
}

function serviceOf(kind: string): string {
  return kind === "enoki" ? "bench_echo" : `bench_echo_${kind}`;
}

async function connectEnoki(kind: string, broker: string): Promise<Echo> {
  const config = kind === "transient" ? { RPC_DELIVERY: "transient" } : {};
  const connection = await connect({ broker, config });
  const client = connection.client<Pick<typeof service, "entrypoints" | "handlers">>(serviceOf(kind));
  return { echo: (value) => client.echo(value), close: () => connection.close() };
}

async function answerLoads(kind: string, broker: string): Promise<void> {
  const target = kind in BARE ? await connectBare(kind, broker) : await connectEnoki(kind, broker);
  console.log("ready");
  for await (const line of lines(Deno.stdin.readable)) {
    const [inFlight, duration] = line.split(" ").map(Number);
    console.log(JSON.stringify(await load(target, inFlight!, duration!)));
  }
  await target.close();
}

/** The lines of a stream of text. */
export async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

if (import.meta.main) {
  const [role, kind, broker] = Deno.args;
  if (role === "serve") await serve(kind!, broker!);
  else await answerLoads(kind!, broker!);
}
