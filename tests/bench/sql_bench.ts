// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import connectPostgres from "npm:postgres@3.4.9";
import { createSqlHalf } from "../../extensions/sql/host.ts";
import { sql } from "../../extensions/sql/mod.ts";
import type { Call } from "../../runtime/service/call.ts";
import type { DependencyHost } from "../../runtime/service/dependency.ts";
import { PrivateDatabase } from "../fixtures/private_database.ts";
import type { Figure } from "./figures.ts";
import { median } from "./median.ts";

/** Milliseconds that a side is measured for in one round. */
const TURN = 1_500;
const ROUNDS = 5;

/** Share of bare `postgres` that a session must reach. */
const FLOOR = 0.6;

interface Tables {
  readonly bench_boxes: { readonly id: number; readonly name: string };
}

/** A session of one SELECT in a server of our own, beside the same by bare `postgres`: in a transaction, and alone. All in this process. */
export async function benchSql(): Promise<readonly Figure[]> {
  await using server = await PrivateDatabase.open("postgres");
  if (server === undefined) return [];
  const bare = connectPostgres(server.uri, { max: 50, onnotice() {} });
  await bare.unsafe(`create table bench_boxes (id int primary key, name text);
    insert into bench_boxes select n, 'box ' || n from generate_series(1, 1000) n`);
  try {
    await using provider = sessions(server.uri);
    let id = 0;
    const next = () => id = id % 1_000 + 1;
    const sides = {
      "session: SELECT": () => provider.run(next()),
      "bare: BEGIN; SELECT; COMMIT": () =>
        bare.begin((transaction) => transaction`select name from bench_boxes where id = ${next()}`),
      "bare: SELECT": () => bare`select name from bench_boxes where id = ${next()}`,
    };
    console.log("\nA session of one SELECT in PostgreSQL, and the same by bare postgres, one process");
    console.log("in flight   side                              calls/s   session / side");
    const figures: Figure[] = [];
    for (const inFlight of [1, 10, 50]) {
      const rates = Object.fromEntries(Object.keys(sides).map((name): [string, number[]] => [name, []]));
      for (let round = 0; round <= ROUNDS; round++) {
        for (const [name, side] of Object.entries(sides)) {
          const rate = await measure(side, inFlight);
          // The first round warms up.
          if (round > 0) rates[name]!.push(rate);
        }
      }
      const session = median(rates["session: SELECT"]!);
      for (const [name, all] of Object.entries(rates)) {
        const rate = median(all);
        const share = session / rate;
        const verdict = name.startsWith("bare")
          ? `${share.toFixed(2)} ${share >= FLOOR ? "holds" : "MISSES"} ${FLOOR}`
          : "";
        console.log(
          `${String(inFlight).padStart(9)}   ${name.padEnd(30)} ${rate.toFixed(0).padStart(10)}   ${verdict}`,
        );
      }
      const [bare, alone] = [rates["bare: BEGIN; SELECT; COMMIT"]!, rates["bare: SELECT"]!].map(median);
      figures.push({
        name: `a session of one SELECT, ${inFlight} in flight`,
        unit: "sessions/s",
        enoki: session,
        bare: bare!,
        ratio: session / bare!,
        peers: { "bare, without a transaction": alone! },
      });
    }
    return figures;
  } finally {
    await bare.end();
  }
}

/** The dependency as a thread binds it, and the half of it in the main thread, without a broker between them. */
function sessions(uri: string) {
  const config = { SQL: { URI: uri, MAX_CONNECTIONS: 50 } };
  const half = createSqlHalf({ options: {} }, { service: "bench", config });
  const host = {
    service: "bench",
    config,
    callTimeout: 30_000,
    log: console,
    ask: (body: string, options?: { readonly signal?: AbortSignal }) =>
      Promise.resolve(half.answer!(body, options)),
  } as unknown as DependencyHost;
  const provider = sql<Tables>().bind(host);
  return {
    async run(id: number) {
      const call = { signal: new AbortController().signal, deadline: undefined } as Call;
      const { session } = await provider.get(call);
      const rows = await session.selectFrom("bench_boxes").select("name").where("id", "=", id).execute();
      await provider.release!(call, { ok: true, value: undefined });
      return rows;
    },
    async [Symbol.asyncDispose]() {
      await provider[Symbol.asyncDispose]?.();
      await half[Symbol.asyncDispose]?.();
    },
  };
}

/** Returns how many calls a second end while this many run. */
async function measure(call: () => PromiseLike<unknown>, inFlight: number): Promise<number> {
  const start = performance.now();
  let ended = 0;
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (performance.now() - start < TURN) {
      await call();
      ended++;
    }
  }));
  return ended / ((performance.now() - start) / 1_000);
}
