import assert from "node:assert/strict";
import { connect } from "../../extensions/run.ts";
import { answerTo, Command, enoki, SERVICES, withBroker, withService } from "./command.ts";

const COMPUTING = `${SERVICES}computing.ts`;
const SERVICE = "enoki_test_computing";
const MANAGED = ["--define", "control={manage: true}"];

/** One function in a CPU profile. */
interface ProfileNode {
  readonly callFrame: { readonly functionName: string; readonly url: string };
}

/** Runs a test while the service is served by a process that answers. */
async function withAnswers(
  test: (broker: string) => Promise<void>,
  options: readonly string[] = [],
): Promise<void> {
  await withService(COMPUTING, async (broker) => {
    await answerTo(broker);
    await test(broker);
  }, options);
}

/** Runs a test with a folder for files. */
async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "enoki-inspect-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const permissions of ["--allow-all", "--allow-sys=inspector"]) {
  Deno.test(`enoki profile shows the functions of a service that runs with ${permissions}`, () =>
    withAnswers((broker) =>
      withFolder(async (folder) => {
        const path = `${folder}/a.cpuprofile`;
        await using cluster = await connect({ broker });
        const compute = cluster.method(SERVICE, "compute");
        const profiling = new Command(["profile", SERVICE, "--broker", broker, "--seconds", "1", "-o", path]);
        let isOver = false;
        void profiling.ended.then(() => isOver = true);
        while (!isOver) await compute(20);
        const { status, out, err } = await profiling.ended;
        assert.deepEqual([status, out], [0, `${path}\n`], err);
        assert.match(
          err,
          /^Taking a CPU profile of enoki_test_computing#\d in \S+ [\da-f]{8} for 1 s\nWrote/,
        );
        const { nodes, samples } = JSON.parse(await Deno.readTextFile(path));
        const own = nodes.find(({ callFrame }: ProfileNode) =>
          callFrame.functionName === "computeForTheProfile"
        );
        assert.match(own.callFrame.url, /^file:.*\/computing\.ts$/);
        assert.ok(samples.includes(own.id));
      }), [...MANAGED, permissions]));
}

Deno.test("enoki heap writes a snapshot with the service's objects, which needs no permission; a profile does", () =>
  withAnswers((broker) =>
    withFolder(async (folder) => {
      const path = `${folder}/a.heapsnapshot`;
      assert.equal((await enoki(["call", "--broker", broker, `${SERVICE}.compute`, "1"])).status, 0);
      const { status, out, err } = await enoki(["heap", SERVICE, "--broker", broker, "-o", path]);
      assert.deepEqual([status, out], [0, `${path}\n`], err);
      const { snapshot, strings } = JSON.parse(await Deno.readTextFile(path));
      assert.ok(snapshot.node_count > 1_000);
      assert.ok(strings.includes("KeptForTheSnapshot"));
      const refused = await enoki(["profile", SERVICE, "--broker", broker, "-o", `${folder}/b`]);
      assert.deepEqual([refused.status, refused.out], [1, ""]);
      assert.match(refused.err, /Cannot take a profile: the service may not .* --allow-sys=inspector\n$/);
      const missing = await enoki(["heap", SERVICE, "--broker", broker, "--thread", "none#7"]);
      assert.equal(missing.status, 1);
      assert.match(
        missing.err,
        /has no thread "none#7" here, only \[enoki_test_computing#\d(?:, enoki_test_computing#\d)*\]/,
      );
      assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["a.heapsnapshot"]);
      // The thread serves on.
      assert.equal((await enoki(["call", "--broker", broker, `${SERVICE}.compute`, "1"])).out, "true\n");
    }), MANAGED));

Deno.test("A service that may inspect its thread opens no debugger of the process", () =>
  withService(COMPUTING, async (broker) => {
    await using cluster = await connect({ broker });
    const tried = await cluster.method(SERVICE, "debug")() as readonly string[];
    assert.equal(tried.length, 4);
    for (const answer of tried) {
      assert.match(answer, /^NotCapable: Cannot open the debugger: it would be that of all/);
    }
  }, ["--allow-sys=inspector", "--allow-net"]));

Deno.test("enoki profile and heap are refused where the operator has not allowed them", () =>
  withAnswers(async (broker) => {
    for (const command of ["profile", "heap"]) {
      const { status, out, err } = await enoki([command, SERVICE, "--broker", broker]);
      assert.deepEqual([status, out], [1, ""]);
      assert.match(err, /^The process does not obey "inspect"\. Set control: \{ manage: true \}/);
    }
  }));

Deno.test("enoki profile says that nobody serves the service", () =>
  withBroker(async (broker) => {
    const { status, err } = await enoki(["profile", SERVICE, "--broker", broker]);
    assert.equal(status, 3);
    assert.match(err, /^No process that serves "enoki_test_computing" answers at local:/);
  }));
