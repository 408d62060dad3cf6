import assert from "node:assert/strict";
import { PoolStage, type SpawnerFactory } from "./pool_stage.ts";

/** What a service with restricted permissions cannot do, although Deno asks for no permission. */
export function poolClosingLaws(name: string, createSpawner: SpawnerFactory): void {
  const law = (text: string, proof: (reach: (way: string) => Promise<unknown>) => Promise<void>) =>
    Deno.test(`Pool of ${name} threads ${text}`, async () => {
      await using stage = await PoolStage.open(createSpawner, {
        module: "closed",
        plan: { permissions: "none" },
      });
      await proof((way) => stage.value("reach", way));
    });
  const denies = (text: string, ways: readonly string[], expected: RegExp) =>
    law(text, async (reach) => {
      for (const way of ways) assert.match(String(await reach(way)), expected, way);
    });

  denies(
    "cannot signal their process by any name of the function",
    ["innerKill", "namedKill", "requiredKill", "builtinKill", "importedKill"],
    /^NotCapable: Requires run access/,
  );

  denies(
    "cannot end the process by a vsock",
    ["listen", "connect", "serve", "turningListen"],
    /^NotCapable: Cannot use a vsock/,
  );

  denies(
    "cannot change what is behind the standard streams",
    [
      ...["truncate", "namedTruncate", "chmod", "namedChmod", "chown", "utimes"],
      ...["writeInTheMiddle", "writeBytesInTheMiddle", "writeByOptions"],
    ],
    /^NotCapable: Cannot use \w+ on descriptor [012]: it belongs to the process/,
  );

  law("write to the standard streams, as the console does", async (reach) => {
    assert.equal(await reach("write"), 0);
  });

  denies(
    "cannot set V8's flags, which are those of all threads",
    ["flags", "namedFlags"],
    /^NotCapable: Cannot set a flag of V8/,
  );

  denies(
    "import no package whose name their code does not say",
    ["package", "jsrPackage", "packageOfData", "packageByHooks"],
    /Cannot import (?:npm|jsr):\S+: the code of the service does not name this package/,
  );

  law("import the packages that their code names, also late", async (reach) => {
    assert.equal(await reach("ownPackage"), "function");
  });

  law("have none of Deno's own operations", async (reach) => {
    assert.equal(await reach("internals"), null);
  });

  law("have what is closed in the named imports, too", async (reach) => {
    assert.equal(await reach("namedAbortIsClosed"), true);
  });

  law("cannot steal a lock of another module", async (reach) => {
    const { locks } = navigator as unknown as {
      readonly locks: { request(name: string, run: () => Promise<void>): Promise<void> };
    };
    const held = Promise.withResolvers<void>();
    const lock = locks.request("shared", () => held.promise);
    assert.equal(await reach("steal"), "stolen");
    held.resolve();
    await lock;
  });
}
