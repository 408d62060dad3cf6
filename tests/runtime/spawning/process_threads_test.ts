import assert from "node:assert/strict";
import { Claims } from "../../../runtime/channel/claims.ts";
import type { FromThread } from "../../../runtime/channel/port.ts";
import { prepareModule } from "../../../runtime/module/prepare.ts";
import { createSpawner, type ThreadPlan } from "../../../runtime/spawning/create_spawner.ts";
import type { Thread, ThreadSpawner } from "../../../runtime/spawning/spawner.ts";

const MODULE = import.meta.resolve("../../fixtures/pool/working.ts");

async function spawnerFor(plan: Partial<ThreadPlan> = {}, module = MODULE): Promise<ThreadSpawner> {
  return createSpawner(await prepareModule(module), "test", {
    permissions: "none",
    ...plan,
    kind: "process",
  });
}

/** Resolves with the first message of a thread, or with the reason of its end. */
function beginning(thread: Thread): Promise<string> {
  const first = new Promise<FromThread>((resolve) => thread.port.onmessage = ({ data }) => resolve(data));
  return Promise.race([first.then(({ type }) => type), thread.ended]);
}

function spawn(spawner: ThreadSpawner, name = "test#1"): Thread {
  return spawner.spawn({ name, claims: new Claims().buffer });
}

/** Marks the processes of one spawner, because other test files start processes at the same time. */
function mark(): {
  readonly env: Readonly<Record<string, string>>;
  readonly children: () => readonly number[];
} {
  const id = crypto.randomUUID();
  return { env: { ENOKI_TEST_MARK: id }, children: () => processes().filter((pid) => has(pid, id)) };
}

/** Ids of all processes that this one has started and that run. */
function processes(): readonly number[] {
  return [...Deno.readDirSync("/proc/self/task")].flatMap(({ name }) => {
    try {
      return Deno.readTextFileSync(`/proc/self/task/${name}/children`).split(" ").filter(Boolean).map(Number);
    } catch {
      // This thread has just ended.
      return [];
    }
  });
}

function has(pid: number, id: string): boolean {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/environ`).includes(id);
  } catch {
    return false;
  }
}

Deno.test("threads of one spawner share a process, which ends with the spawner", async () => {
  const { env, children } = mark();
  const spawner = await spawnerFor({ env });
  const threads = [spawn(spawner, "test#1"), spawn(spawner, "test#2")];
  assert.deepEqual(await Promise.all(threads.map(beginning)), ["loaded", "loaded"]);
  assert.equal(children().length, 1);
  await spawner[Symbol.asyncDispose]();
  assert.deepEqual(children(), []);
});

Deno.test("a process that dies ends its threads, and the next thread gets a new process", async () => {
  const { env, children } = mark();
  await using spawner = await spawnerFor({ env });
  const first = spawn(spawner);
  assert.equal(await beginning(first), "loaded");
  Deno.kill(children()[0]!, "SIGKILL");
  assert.equal(await first.ended, "its process was ended by SIGKILL");
  assert.equal(await beginning(spawn(spawner, "test#2")), "loaded");
});

Deno.test("a process that dies again and again is started later each time, and is told of once", async () => {
  const { env, children } = mark();
  await using spawner = await spawnerFor({ env });
  const told: string[] = [];
  spawner.processEvents = { onOutput() {}, onEnd() {}, onCrashLoop: (reason) => told.push(reason) };
  let refused = 0;
  for (let crashes = 0; crashes < 6;) {
    const thread = spawn(spawner);
    const begun = await beginning(thread);
    if (begun === "loaded") {
      Deno.kill(children()[0]!, "SIGKILL");
      await thread.ended;
      crashes++;
    } else {
      assert.match(begun, /^its process has crashed, and starts again in \d+ ms$/);
      refused++;
      await new Promise((resolve) => setTimeout(resolve, Number(/\d+/.exec(begun)![0])));
    }
  }
  assert.ok(refused >= 4, `it was refused ${refused} times`);
  assert.equal(told.length, 1);
  assert.match(told[0]!, /^its process has crashed 5 times, each within 60 s of its start/);
});

Deno.test("a process that cannot start says why", async () => {
  await using spawner = await spawnerFor({ permissions: { sys: ["nothing"] } });
  assert.match(await beginning(spawn(spawner)), /^its process exited with status 1: .*sys/s);
});

Deno.test("what a process writes comes line by line", async () => {
  await using spawner = await spawnerFor({}, import.meta.resolve("../../fixtures/pool/printing.ts"));
  const lines = new Promise<string>((resolve) => {
    let text = "";
    spawner.processEvents = {
      onOutput: (more) => (text += more).includes("to stderr") && text.includes("to stdout") && resolve(text),
      onEnd() {},
      onCrashLoop() {},
    };
  });
  spawn(spawner);
  assert.deepEqual((await lines).trim().split("\n").sort(), ["to stderr", "to stdout"]);
});

Deno.test("a process has the permitted variables and those of the service, and few of the system", async () => {
  Deno.env.set("ENOKI_TEST_SECRET", "secret");
  Deno.env.set("ENOKI_TEST_PERMITTED", "permitted");
  const { env, children } = mark();
  const spawner = await spawnerFor({
    permissions: { env: ["ENOKI_TEST_PERMITTED"] },
    env: { ...env, ENOKI_TEST_OWN: "own" },
  });
  assert.equal(await beginning(spawn(spawner)), "loaded");
  const id = children()[0]!;
  const variables = Deno.readTextFileSync(`/proc/${id}/environ`).split("\0");
  assert.ok(variables.includes("ENOKI_TEST_PERMITTED=permitted"));
  assert.ok(variables.includes("ENOKI_TEST_OWN=own"));
  assert.ok(
    variables.includes(`PATH=${Deno.env.get("PATH")}`),
    "programs that the service may run are found",
  );
  assert.ok(!variables.some((variable) => variable.startsWith("ENOKI_TEST_SECRET")));
  await spawner[Symbol.asyncDispose]();
});
