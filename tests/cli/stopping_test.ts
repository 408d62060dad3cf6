/** Processes that are told to stop in a state in which something does not go on. */
import assert from "node:assert/strict";
import { within } from "../../runtime/waiting/abort.ts";
import { Program, type ProgramEnd } from "../e2e/program.ts";
import { freePort } from "../fixtures/free_port.ts";
import { GREETING, PROGRAM, SERVICES } from "./command.ts";

const SCRIPT = new Deno.Command("sh", { args: ["-c", "script --version | grep -q util-linux"] }).outputSync();
const GRACE = 200;

/** Milliseconds within which a stop ends, in addition to the grace. */
const LIMIT = 2_000;

/** Milliseconds after which a test does not wait for the stop any more. */
const PATIENCE = 15_000;

function command(...argv: readonly string[]): [string, ...string[]] {
  return [...PROGRAM, "run", "--define", `grace=${GRACE / 1_000}`, ...argv];
}

/** Sends SIGTERM, and sees the program end in time with 0. */
async function stopsInTime(program: Program): Promise<ProgramEnd> {
  const start = performance.now();
  program.kill("SIGTERM");
  const ended = program.end();
  await within(PATIENCE, ended);
  const took = performance.now() - start;
  assert.ok(took < GRACE + LIMIT, `${took} ms`);
  const end = await ended;
  assert.equal(end.status, 0, end.err);
  return end;
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "enoki-stopping-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("SIGTERM ends a process in time that waits for a broker which refuses connections", async () => {
  await using program = new Program(command("--broker", `amqp://127.0.0.1:${freePort()}`, GREETING));
  // This pause is longer than the limit.
  await program.says("Trying again in 4 s");
  assert.match((await stopsInTime(program)).err, /\nStopped before anything was served\n$/);
});

for (const loading of ["waits", "spins"]) {
  for (const [which, loaded] of [["first", 1], ["second", 2]] as const) {
    Deno.test(`SIGTERM ends a process in time whose ${which} thread ${loading} for ever while it loads`, () =>
      inFolder(async (folder) => {
        await using program = new Program(
          command(
            "-A",
            "--broker",
            "memory:",
            "--concurrency",
            "1",
            "--max-workers",
            "2",
            `${SERVICES}loading.ts`,
          ),
          {
            env: {
              ENOKI_TEST_FOLDER: folder,
              ENOKI_TEST_LOADED: String(loaded - 1),
              ENOKI_TEST_LOADING: loading,
            },
          },
        );
        await program.says("loads for ever");
        await stopsInTime(program);
      }));
  }
}

/** Runs a command whose stdout and stderr are a pipe that is full and that nobody reads. */
const FULL_PIPE = 'mkfifo "$0" && exec 3<>"$0"; ' +
  'dd if=/dev/zero of="$0" oflag=nonblock bs=4096 2>/dev/null; exec "$@" >&3 2>&3';

Deno.test({
  name: "SIGTERM ends a process in time that floods a pipe whose reader stands still",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    inFolder(async (folder) => {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      await using program = new Program(
        [
          "sh",
          "-c",
          FULL_PIPE,
          `${folder}/pipe`,
          ...command("-A", "--broker", "memory:", `${SERVICES}flooding.ts`),
        ],
        { env: { ENOKI_TEST_PORT: String(listener.addr.port) } },
      );
      using _connection = await listener.accept();
      await stopsInTime(program);
    }),
});

/** Runs a command at a terminal whose screen stands still: `script` cannot pass on what it reads. */
const STILL_TERMINAL = 'mkfifo "$0" && exec 3<>"$0"; ' +
  'dd if=/dev/zero of="$0" oflag=nonblock bs=4096 2>/dev/null; export ENOKI_TEST_COMMAND="$*"; ' +
  `exec script -qc 'echo $$ >"$ENOKI_TEST_PID"; exec $ENOKI_TEST_COMMAND' /dev/null >&3 2>&3`;

Deno.test({
  name: "SIGTERM ends a process in time that floods a terminal whose screen stands still",
  ignore: Deno.build.os !== "linux" || !SCRIPT.success,
  fn: () =>
    inFolder(async (folder) => {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const run = command("-A", "--broker", "memory:", `${SERVICES}flooding.ts`);
      await using _script = new Program(["sh", "-c", STILL_TERMINAL, `${folder}/pipe`, ...run], {
        env: { ENOKI_TEST_PORT: String(listener.addr.port), ENOKI_TEST_PID: `${folder}/pid` },
      });
      using _connection = await listener.accept();
      const pid = Number(await Deno.readTextFile(`${folder}/pid`));
      const start = performance.now();
      Deno.kill(pid, "SIGTERM");
      try {
        while (await runs(pid)) {
          assert.ok(performance.now() - start < GRACE + LIMIT, "it still runs");
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      } finally {
        if (await runs(pid)) Deno.kill(pid, "SIGKILL");
      }
    }),
});

/** Whether a process has not ended, even where its parent does not ask for its status. */
async function runs(pid: number): Promise<boolean> {
  try {
    return !(await Deno.readTextFile(`/proc/${pid}/stat`)).includes(") Z ");
  } catch {
    return false;
  }
}
