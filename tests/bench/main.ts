// deno-lint-ignore-file no-console -- a benchmark prints what it measured
/**
 * `deno task bench [--json FILE] [--svg FOLDER] [PART…]`: what Enoki costs, beside others in the same run.
 *
 * It runs all parts, or those that are named. `--json` writes the figures, `--svg` a chart of each part. Part `memory`
 * makes `--requests N` HTTP requests.
 *
 * `deno task bench --against REVISION [--slices N] [PART…]` compares this tree with a revision, and exits 1 if this
 * one is surely slower. `AMQP_URI` names the broker.
 */
import { join } from "node:path";
import { benchAgainst, GUARDED } from "./against.ts";
import { type BenchArguments, readBenchArguments } from "./bench_arguments.ts";
import { benchCache } from "./cache_bench.ts";
import { chart, whereAndWhen } from "./chart.ts";
import { benchContention } from "./contention_bench.ts";
import { benchControl } from "./control_bench.ts";
import { benchCores } from "./cores_bench.ts";
import { benchEvents } from "./events_bench.ts";
import type { Figure } from "./figures.ts";
import { benchHttp } from "./http_bench.ts";
import { benchIsolation } from "./isolation_bench.ts";
import { thisMachine } from "./machine.ts";
import { benchMemory } from "./memory_bench.ts";
import { benchOtel } from "./otel_bench.ts";
import { benchOutbox } from "./outbox_bench.ts";
import { benchOverload } from "./overload_bench.ts";
import { benchDelivery, benchRpc } from "./rpc_bench.ts";
import { benchSql } from "./sql_bench.ts";
import { benchStart } from "./start_bench.ts";
import { benchStreams } from "./streams_bench.ts";
import { benchTelemetry } from "./telemetry_bench.ts";
import { benchThreads } from "./threads_bench.ts";

const broker = Deno.env.get("AMQP_URI") ?? "amqp://guest:guest@127.0.0.1:5672";
const parts: Readonly<Record<string, (asked: BenchArguments) => Promise<readonly Figure[]>>> = {
  rpc: () => benchRpc(broker),
  delivery: () => benchDelivery(broker),
  otel: () => benchOtel(broker),
  events: () => benchEvents(broker),
  http: benchHttp,
  contention: benchContention,
  overload: () => benchOverload(broker),
  streams: benchStreams,
  memory: ({ requests }) => benchMemory(requests),
  threads: benchThreads,
  isolation: () => benchIsolation(broker),
  cores: benchCores,
  start: benchStart,
  control: () => benchControl(broker),
  telemetry: () => benchTelemetry(broker),
  sql: benchSql,
  cache: benchCache,
  outbox: () => benchOutbox(broker),
};

async function main(asked: BenchArguments): Promise<number> {
  const machine = thisMachine();
  console.log(whereAndWhen(machine));
  if (asked.against !== undefined) {
    return await benchAgainst({ ...asked, against: asked.against, broker }) ? 0 : 1;
  }
  const figures: Record<string, readonly Figure[]> = {};
  for (const part of asked.parts) {
    figures[part] = await parts[part]!(asked);
    if (asked.json !== undefined) {
      await Deno.writeTextFile(asked.json, `${JSON.stringify({ machine, parts: figures }, null, 2)}\n`);
    }
    if (asked.svg !== undefined && figures[part].length > 0) {
      await Deno.mkdir(asked.svg, { recursive: true });
      await Deno.writeTextFile(join(asked.svg, `${part}.svg`), chart(part, figures[part], machine));
    }
  }
  return 0;
}

/** The arguments; whoever gives wrong ones gets a sentence. */
function readArguments(): BenchArguments {
  try {
    return readBenchArguments(Deno.args, Object.keys(parts), Object.keys(GUARDED));
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(2);
  }
}

Deno.exit(await main(readArguments()));
