/** Services whose time a test moves. One start serves all laws, each of which moves on by as much as it needs. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { cache } from "../../../extensions/cache/mod.ts";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { connect, type Connection, run } from "../../../extensions/run.ts";
import { testClock } from "../../../extensions/testing/mod.ts";
import {
  CallTimeoutError,
  client,
  cron,
  dependency,
  dispatcher,
  event,
  Retry,
  rpc,
  service,
  timer,
} from "../../../mod.ts";
import { serveInMemory } from "../../fixtures/serve_in_memory.ts";
import type { outer } from "../../fixtures/services/chain.ts";

const clock = testClock({ start: "2030-01-01T12:00:00Z", patience: 20 });

/** What the handlers have noted: a name, and when. */
const notes: [string, string][] = [];

/** A dependency of a user's own, that goes by the clock of its service. */
const note = () =>
  dependency({
    bind: ({ clock }) => ({
      get: () => (name: string) => void notes.push([name, new Date(clock.now()).toISOString()]),
    }),
  });

/** Takes the notes of one name. */
function noted(name: string): readonly string[] {
  const times = notes.filter(([each]) => each === name).map(([, time]) => time);
  notes.splice(0, notes.length, ...notes.filter(([each]) => each !== name));
  return times;
}

let loads = 0;
let isBroken = false;
let attempts = 0;

class Broken extends Error {
  override readonly name = "Broken";
}

const jobs = service("moved_jobs", {
  dependencies: { note: note(), emit: dispatcher<{ asked: string }>(), cached: cache({ ttl: 3_600_000 }) },
  entrypoints: {
    nightly: cron("30 2 * * *", { timezone: "UTC" }),
    hourly: timer({ interval: 3_600 }),
    ask: rpc(),
    load: rpc(),
    wait: rpc(),
    late: rpc({ timeout: 60_000 }),
    scarce: rpc({ rate: { perSecond: 0.1, burst: 1 } }),
    shaky: rpc(),
    again: rpc({ retry: { max: 1, backoff: 20_000 } }),
  },
  handlers: {
    nightly: ({ note }) => note("nightly"),
    hourly: ({ note }) => note("hourly"),
    ask: ({ emit }, question: string) => emit("asked", question),
    load: ({ cached }) => cached.get("all", () => ++loads),
    wait: ({ note, call }) =>
      new Promise<void>((_resolve, reject) =>
        call.signal.addEventListener("abort", () => {
          note("aborted");
          reject(call.signal.reason);
        })
      ),
    late: () => new Promise<void>(() => {}),
    scarce: ({ note }) => note("scarce"),
    shaky() {
      attempts++;
      if (isBroken) throw new Broken();
    },
    again({ note }) {
      note("again");
      throw new Error("as expected");
    },
  },
});

const reader = service("moved_reader", {
  dependencies: {
    note: note(),
    jobs: client<typeof jobs>("moved_jobs", {
      circuit: { failures: 1, open: 300_000, on: ["Broken"] },
    }),
    patient: client<typeof jobs>("moved_jobs", {
      timeout: 600_000,
      idempotent: ["shaky"],
      retry: { max: 1, delay: 120_000, jitter: 0, on: ["Broken"] },
    }),
  },
  entrypoints: {
    asked: event<string>("moved_jobs", "asked", { retry: { max: 1 } }),
    callShaky: rpc(),
    callPatiently: rpc(),
  },
  handlers: {
    asked({ note }, question) {
      note(question);
      if (question === "difficult") throw new Retry({ after: 600_000 });
    },
    callShaky: ({ jobs }) => jobs.shaky(),
    callPatiently: ({ patient }) => patient.shaky(),
  },
});

interface Moved {
  readonly jobs: ReturnType<typeof clientOf<typeof jobs>>;
  readonly reader: ReturnType<typeof clientOf<typeof reader>>;
}

function clientOf<Served>(connection: Connection, name: string) {
  return connection.client<Served>(name as never, { timeout: 3_600_000 });
}

Deno.test("services go by the clock of their test", async (t) => {
  const broker = new MemoryBroker({ clock });
  {
    await using _running = await run([jobs, reader], {
      broker: memory({ broker }),
      clock,
      threads: { kind: "inline" },
    });
    await using connection = await connect({ broker: memory({ broker }), clock });
    const moved = {
      jobs: clientOf<typeof jobs>(connection, jobs.name),
      reader: clientOf<typeof reader>(connection, reader.name),
    };
    for (const [law, prove] of Object.entries(LAWS)) await t.step(law, () => prove(moved));
  }
  strictEqual(clock.timers, 0, "a timer is left when all has ended");
});

const LAWS: Readonly<Record<string, (moved: Moved) => Promise<void>>> = {
  async "a cron of tomorrow fires when its time comes, exactly once, and a timer once an interval"() {
    await clock.advanceTo("2030-01-02T02:29:59.999Z");
    deepStrictEqual(noted("nightly"), []);
    await clock.advanceTo("2030-01-02T12:00:00Z");
    deepStrictEqual(noted("nightly"), ["2030-01-02T02:30:00.000Z"]);
    strictEqual(noted("hourly").length, 24);
  },

  async "a message that is to be tried again after ten minutes is, and not before"({ jobs }) {
    const start = clock.now();
    await jobs.ask("difficult");
    await clock.advance(599_999);
    strictEqual(noted("difficult").length, 1);
    await clock.advance("10m");
    deepStrictEqual(noted("difficult"), [new Date(start + 600_000).toISOString()]);
  },

  async "a request is tried again after its delay"({ jobs }) {
    const failure = rejects(jobs.again(), /as expected/);
    await clock.advance(19_999);
    strictEqual(noted("again").length, 1);
    await clock.advance(1);
    strictEqual(noted("again").length, 1);
    await failure;
  },

  async "the deadline of a call passes, for its caller and in its handler"({ jobs }) {
    let ended = false;
    const call = rejects(jobs.wait.with({ timeout: 5_000 })(), CallTimeoutError).then(() => ended = true);
    await clock.advance(4_999);
    deepStrictEqual([ended, noted("aborted").length], [false, 0]);
    await clock.advance(1);
    await call;
    strictEqual(noted("aborted").length, 1);
  },

  async "a handler gets no more time than its timeout"({ jobs }) {
    let ended = false;
    const call = rejects(jobs.late(), /longer than its timeout of 60000 ms/).then(() => ended = true);
    await clock.advance(59_999);
    strictEqual(ended, false);
    await clock.advance(1);
    await call;
  },

  async "a cached value is loaded again when its time is over"({ jobs }) {
    strictEqual(await jobs.load(), 1);
    await clock.advance(3_599_999);
    strictEqual(await jobs.load(), 1);
    await clock.advance(1);
    strictEqual(await jobs.load(), 2);
  },

  async "a call above a rate waits until there is a turn for it"({ jobs }) {
    await Promise.all([jobs.scarce(), clock.advance(0)]);
    const second = jobs.scarce();
    await clock.advance(9_999);
    strictEqual(noted("scarce").length, 1);
    await clock.advance(1);
    await second;
    strictEqual(noted("scarce").length, 1);
  },

  async "a circuit is open for its time"({ reader }) {
    isBroken = true;
    await rejects(reader.callShaky(), /Broken/);
    isBroken = false;
    await clock.advance(299_999);
    await rejects(reader.callShaky(), /circuit is open/);
    await clock.advance(1);
    await reader.callShaky();
  },

  async "a client makes its next attempt after its delay"({ reader }) {
    isBroken = true;
    attempts = 0;
    const call = reader.callPatiently();
    await clock.advance(119_999);
    strictEqual(attempts, 1);
    isBroken = false;
    await clock.advance(1);
    await call;
    strictEqual(attempts, 2);
  },
};

Deno.test("a service in threads has the deadlines of its calls in its own time, whatever the clock shows", async () => {
  const clock = testClock({ start: "2130-01-01T00:00:00Z" });
  const broker = new MemoryBroker({ clock });
  await using _running = await serveInMemory(broker, ["chain.ts"], { clock });
  await using connection = await connect({ broker: memory({ broker }), clock });
  const { trace } = connection.client<typeof outer>("enoki_test_outer", { timeout: 60_000 });
  const calls = await trace();
  for (const [place, most] of [60_000, 10_000, 5_000].entries()) {
    const left = calls[place]!.deadline! - Date.now();
    ok(left > 0 && left <= most, `${left} ms are left`);
  }
});

Deno.test("memory: of a process takes one clock, and says so to whoever brings another", async () => {
  const clock = testClock();
  await using _first = await connect({ broker: "memory:", clock });
  await using _second = await connect({ broker: "memory:" });
  await rejects(connect({ broker: "memory:", clock: testClock() }), /have given it another clock/);
});
