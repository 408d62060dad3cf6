import assert from "node:assert/strict";
import type { ThreadPlan } from "../../runtime/spawning/create_spawner.ts";
import { PoolStage, type SpawnerFactory } from "./pool_stage.ts";

/** A variable of this process that no service may see, unless it is permitted. */
const OUTER = "ENOKI_LAW_OUTER";
const SECRET = "a-value-of-the-process";

const READING = ["default", "named", "namespace", "global", "required", "builtin", "imported", "deno"];

type Look = (way: string, name?: string, value?: string) => Promise<unknown>;

/** What a service finds in its environment. */
export function poolEnvironmentLaws(
  name: string,
  createSpawner: SpawnerFactory,
  { sandboxed }: { readonly sandboxed: boolean },
): void {
  const law = (
    text: string,
    plan: Partial<ThreadPlan>,
    proof: (look: Look, stage: PoolStage) => Promise<void>,
  ) =>
    Deno.test(`Pool of ${name} threads ${text}`, async () => {
      Deno.env.set(OUTER, SECRET);
      await using stage = await PoolStage.open(createSpawner, {
        module: "surroundings",
        plan,
        logThreshold: () => "debug",
      });
      await proof((way, name = "", value = "") => stage.value("look", way, name, value), stage);
    });

  law("give their service its own variables by every name", { env: { ENOKI_OWN: "own" } }, async (look) => {
    for (const way of READING) assert.equal(await look(way, "ENOKI_OWN"), "own", way);
    assert.equal(await look("atLoad"), "own");
    assert.deepEqual(await look("isIn", "ENOKI_OWN"), [true, true, true]);
    assert.equal((await look("spread") as Record<string, string>)["ENOKI_OWN"], "own");
    assert.equal(Deno.env.get("ENOKI_OWN"), undefined);
  });

  law(
    "put a service's own variable before that of the process",
    { env: { [OUTER]: "own" } },
    async (look) => {
      for (const way of READING) assert.equal(await look(way, OUTER), "own", way);
      assert.equal(Deno.env.get(OUTER), SECRET);
    },
  );

  law("keep what is written to an own variable in the thread", { env: { [OUTER]: "own" } }, async (look) => {
    await look("write", OUTER, "written");
    for (const way of READING) assert.equal(await look(way, OUTER), "written", way);
    await look("writeByDeno", OUTER, "again");
    for (const way of READING) assert.equal(await look(way, OUTER), "again", way);
    await look("delete", OUTER);
    for (const way of READING) assert.equal(await look(way, OUTER), null, way);
    assert.deepEqual(await look("isIn", OUTER), [false, false, false]);
    await look("deleteByDeno", OUTER);
    assert.equal(Deno.env.get(OUTER), SECRET);
  });

  if (!sandboxed) {
    law("only add variables where all is permitted", { env: { ENOKI_OWN: "own" } }, async (look) => {
      for (const way of READING) assert.equal(await look(way, OUTER), SECRET, way);
      const names = [...Object.keys(Deno.env.toObject()), "ENOKI_OWN"];
      assert.deepEqual((await look("listed") as string[]).sort(), names.sort());
    });
    return;
  }

  law(
    "have no variable in process.env that is not permitted",
    { env: { ENOKI_OWN: "own" } },
    async (look) => {
      for (const way of READING.filter((way) => way !== "deno")) {
        assert.equal(
          await look(way, OUTER),
          null,
          way,
        );
      }
      assert.deepEqual(await look("isInProcess", OUTER), [false, false]);
      assert.deepEqual(await look("keys"), ["ENOKI_OWN"]);
      assert.deepEqual(await look("spread"), { ENOKI_OWN: "own" });
      assert.deepEqual(await look("method"), ["function", true]);
    },
  );

  law("refuse by Deno.env what is not permitted", { env: { ENOKI_OWN: "own" } }, async (look) => {
    const refusal = /^NotCapable: Requires env access/;
    assert.match(String(await look("deno", OUTER)), refusal);
    assert.match(String(await look("listed")), refusal);
    assert.match(String(await look("writeByDeno", OUTER, "x")), refusal);
    assert.match(String(await look("deleteByDeno", OUTER)), refusal);
  });

  law("log at level debug, once, which variable is not permitted", {}, async (look, stage) => {
    const message =
      `Cannot read variable "${OUTER}" in service surroundings: not permitted. Allow it with --allow-env=${OUTER}`;
    for (const way of ["default", "isInProcess", "default", "named"]) await look(way, OUTER);
    await look("default", "ENOKI_LAST");
    await stage.logged(/ENOKI_LAST/);
    const said = stage.records.filter(({ message }) => message.includes(OUTER));
    assert.deepEqual(said.map(({ level, message }) => [level, message]), [["debug", message]]);
    // The module has read this one before it was served.
    await stage.logged(/variable "ENOKI_OWN"/);
  });

  law(
    "list the variables that they may read and that are set",
    { permissions: { env: [OUTER, "ENOKI_LAW_UNSET"] }, env: { ENOKI_OWN: "own" } },
    async (look) => {
      assert.deepEqual(await look("spread"), { [OUTER]: SECRET, ENOKI_OWN: "own" });
      await look("write", "ENOKI_LAW_UNSET", "set");
      assert.deepEqual(await look("keys"), [OUTER, "ENOKI_LAW_UNSET", "ENOKI_OWN"].sort());
    },
  );

  law("list the variables of a pattern", { permissions: { env: ["ENOKI_LAW_*"] } }, async (look) => {
    const keys = await look("keys") as readonly string[];
    assert.ok(keys.includes(OUTER));
    assert.ok(keys.every((key) => key.startsWith("ENOKI_LAW_")), keys.join());
  });

  law("keep all that they write in the thread", { permissions: { env: true } }, async (look) => {
    assert.deepEqual(await look("keys"), Object.keys(Deno.env.toObject()).sort());
    for (const write of ["write", "writeByDeno", "define"]) {
      await look(write, OUTER, write);
      for (const way of READING) assert.equal(await look(way, OUTER), write, way);
    }
    assert.equal(await look("writeNumber", "ENOKI_LAW_NUMBER"), "5");
    await look("delete", OUTER);
    assert.ok(!(await look("listed") as readonly string[]).includes(OUTER));
    assert.equal(Deno.env.get(OUTER), SECRET);
    assert.equal(Deno.env.get("ENOKI_LAW_NUMBER"), undefined);
  });

  law(
    "get at no variable of the process by other ways",
    { permissions: { workers: true }, env: { ENOKI_OWN: "own" } },
    async (look) => {
      const ways = ["prototype", "descriptor", "receiver", "binding", "child", "childWithItsOwn", "realm"];
      for (const way of [...ways, "file", "worker"]) {
        assert.ok(!JSON.stringify(await look(way, OUTER)).includes(SECRET), way);
      }
      assert.match(String(await look("child")), /^NotCapable/);
      assert.deepEqual(await look("worker", OUTER), ["own", null]);
    },
  );
}
