// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import { amqp } from "../../extensions/amqp/mod.ts";
import { ControlClient } from "../../extensions/control/control_client.ts";
import { ControlHost, type ControlResponder } from "../../extensions/control/host.ts";
import { getLog } from "../../runtime/log/observe.ts";
import type { Transport } from "../../runtime/message/transport.ts";
import type { Figure } from "./figures.ts";
import { median } from "./median.ts";

const INSTANCES = [1, 50, 200, 1_000];

/** Hosts on one connection. */
const SHARED = 50;

const ROUNDS = 10;

const SERVICE = "enoki_bench_control";

/** What a process with one service tells. */
const RESPONDERS: ReadonlyMap<string, ControlResponder> = new Map([["status", {
  respond: () => ({
    host: "a-host-with-a-name",
    pid: Deno.pid,
    version: "0.1.0",
    uptime: Math.round(performance.now()),
    services: [{
      name: SERVICE,
      state: "running",
      manifest: "0123456789abcdef",
      threads: { busy: 1, ready: 2, starting: 0, max: 10 },
      inFlight: 1,
      waiting: 0,
    }],
  }),
}]]);

/** Measures how long a question to many instances takes, and `enoki ps` as a process. */
export async function benchControl(broker: string): Promise<readonly Figure[]> {
  console.log("\ncontrol: ms until the first answer, the last answer, the end; enoki ps as a process");
  const open = async () => {
    const transport = amqp(broker);
    await transport.connect();
    return transport;
  };
  const hosts: ControlHost[] = [];
  const transports: Transport[] = [];
  await using client = new ControlClient(await open());
  const figures: Figure[] = [];
  for (const count of INSTANCES) {
    while (hosts.length < count) {
      if (hosts.length % SHARED === 0) transports.push(await open());
      const host = new ControlHost({
        transport: transports.at(-1)!,
        responders: RESPONDERS,
        services: () => [SERVICE],
        log: getLog(),
      });
      await host.start();
      hosts.push(host);
    }
    const rounds: (readonly [number, number, number, number])[] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await ask(client));
    const [first, last, end, answers] = [0, 1, 2, 3].map((part) =>
      median(rounds.map((round) => round[part]!))
    );
    const process = median(await timesOfPs(broker));
    console.log(
      `${String(count).padStart(5)} instances: ${first!.toFixed(0)}, ${last!.toFixed(0)}, ${
        end!.toFixed(0)
      } ` +
        `with ${answers} answers; ${process.toFixed(0)}`,
    );
    figures.push(
      { name: `${count} instances, until the last answers`, unit: "ms", enoki: last! },
      { name: `${count} instances, enoki ps`, unit: "ms", enoki: process },
    );
  }
  for (const transport of transports) await transport.close();
  return figures;
}

async function ask(client: ControlClient): Promise<readonly [number, number, number, number]> {
  const start = performance.now();
  let [first, last, answers] = [NaN, NaN, 0];
  for await (const _ of client.ask({ ask: "status", services: [SERVICE] })) {
    last = performance.now() - start;
    if (answers++ === 0) first = last;
  }
  return [first, last, performance.now() - start, answers];
}

async function timesOfPs(broker: string): Promise<number[]> {
  const cli = new URL("../../cli.ts", import.meta.url).pathname;
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", cli, "ps", SERVICE, "--broker", broker],
      stdout: "null",
    }).output();
    times.push(performance.now() - start);
  }
  return times;
}
