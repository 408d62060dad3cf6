/**
 * Packages of npm that Deno has not got yet when a service with a process of its own starts. Only the main thread can
 * fetch them: the process can write nothing to the cache. As other tests do, this one needs the registry of npm.
 */
import assert from "node:assert/strict";
import { Child } from "../../fixtures/child.ts";
import { enoki, PROGRAM, withBroker } from "../../cli/command.ts";

const SERVICE = `
import isNumber from "npm:is-number@7.0.0";
import { rpc, service } from ${JSON.stringify(import.meta.resolve("../../../mod.ts"))};

export default service("packed", {
  entrypoints: { early: rpc(), late: rpc() },
  handlers: {
    early: () => isNumber("5"),
    late: async () => (await import("npm:array-flatten@3.0.0")).flatten([1, [2]]),
  },
});
`;

Deno.test("a service with a process of its own has its packages where Deno has an empty cache, also those that it imports late", () =>
  withBroker(async (broker, folder) => {
    await Deno.writeTextFile(`${folder}/packed.ts`, SERVICE);
    const [program, run, ...args] = PROGRAM;
    const options = ["--isolation", "process", "--max-workers", "1", "--broker", broker];
    await using running = new Child(
      program,
      [run!, "--no-lock", ...args, "run", ...options, `${folder}/packed.ts`],
      { env: { DENO_DIR: `${folder}/empty` } },
    );
    await running.says("Ready on");
    for (const [method, answer] of [["early", "true\n"], ["late", "[1,2]\n"]] as const) {
      const { out, err } = await enoki(["call", "--broker", broker, `packed.${method}`]);
      assert.deepEqual([out, err], [answer, ""]);
    }
  }));
