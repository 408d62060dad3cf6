/**
 * `deno task bench`: what a call and an event cost, beside bare amqplib in the same run.
 *
 * `deno task bench rpc delivery otel events http streams overload memory threads start control telemetry cache outbox` runs
 * only the named parts. `AMQP_URI` names the broker.
 */
import { benchCache } from "./cache_bench.ts";
import { benchControl } from "./control_bench.ts";
import { benchEvents } from "./events_bench.ts";
import { benchHttp } from "./http_bench.ts";
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
const parts: Readonly<Record<string, () => Promise<void>>> = {
  rpc: () => benchRpc(broker),
  delivery: () => benchDelivery(broker),
  otel: () => benchOtel(broker),
  events: () => benchEvents(broker),
  http: benchHttp,
  overload: () => benchOverload(broker),
  streams: benchStreams,
  memory: benchMemory,
  threads: benchThreads,
  start: benchStart,
  control: () => benchControl(broker),
  telemetry: () => benchTelemetry(broker),
  sql: benchSql,
  cache: benchCache,
  outbox: () => benchOutbox(broker),
};

const chosen = Deno.args.length > 0 ? Deno.args : Object.keys(parts);
for (const part of chosen) await parts[part]!();
Deno.exit();
