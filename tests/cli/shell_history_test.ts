import assert from "node:assert/strict";
import { History } from "../../extensions/cli/shell/history.ts";
import { TestFolder } from "../fixtures/module_origin.ts";

function history(env: Readonly<Record<string, string>>): History {
  return new History(new Map(Object.entries(env)));
}

const ON_UNIX = Deno.build.os !== "windows";

for (
  const [variables, path] of [
    [(folder: string) => ({ ENOKI_HISTORY: `${folder}/a/b`, HOME: "/" }), "a/b"],
    [(folder: string) => ({ XDG_STATE_HOME: folder, HOME: "/" }), "enoki/history"],
    [(folder: string) => ({ HOME: folder }), ".local/state/enoki/history"],
  ] as const
) {
  Deno.test({
    name: `a History is in ${path} where the environment says so`,
    ignore: !ON_UNIX,
    fn: async () => {
      await using folder = new TestFolder();
      const env = variables(folder.file("."));
      for (const line of ["one", "two", "two", " secret", "  ", "three"]) history(env).add(line);
      assert.equal(Deno.readTextFileSync(folder.file(path)), "one\ntwo\nthree\n");
      assert.deepEqual(history(env).earlier, ["three", "two", "one"]);
    },
  });
}

Deno.test("a History without a place keeps nothing, and is no failure", () => {
  for (const env of [{}, { ENOKI_HISTORY: "", HOME: "/" }, { ENOKI_HISTORY: "/dev/null/history" }]) {
    history(env).add("one");
    assert.deepEqual(history(env).earlier, []);
  }
});

Deno.test("a History keeps as many lines as ENOKI_HISTORY_SIZE says, in its file twice as many", async () => {
  await using folder = new TestFolder();
  const env = { ENOKI_HISTORY: folder.file("history"), ENOKI_HISTORY_SIZE: "2" };
  Deno.writeTextFileSync(folder.file("history"), "one\ntwo\nthree\nfour\n");
  assert.deepEqual(history(env).earlier, ["four", "three"]);
  history(env).add("five");
  assert.deepEqual(history(env).earlier, ["five", "four"]);
  assert.equal(Deno.readTextFileSync(folder.file("history")), "four\nfive\n");
});

Deno.test("a History of no lines is no history", async () => {
  await using folder = new TestFolder();
  const env = { ENOKI_HISTORY: folder.file("history"), ENOKI_HISTORY_SIZE: "0" };
  history(env).add("one");
  assert.deepEqual(history(env).earlier, []);
  assert.throws(() => Deno.statSync(folder.file("history")), Deno.errors.NotFound);
});
