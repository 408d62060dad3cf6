import assert from "node:assert/strict";
import { PoolStage, type SpawnerFactory } from "./pool_stage.ts";

const SIGUSR2 = 12n;

/** What a service with restricted permissions cannot do, although Deno asks for no permission. */
export function poolClosingLaws(
  name: string,
  createSpawner: SpawnerFactory,
  { ownProcess }: { readonly ownProcess: boolean },
): void {
  const law = (
    text: string,
    proof: (reach: (way: string, text?: string) => Promise<unknown>) => Promise<void>,
  ) =>
    Deno.test(`Pool of ${name} threads ${text}`, async () => {
      await using stage = await PoolStage.open(createSpawner, {
        module: "closed",
        plan: { permissions: "none" },
      });
      await proof((way, text = "") => stage.value("reach", way, text));
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

  law("make no file handle of a descriptor that is not theirs", async (reach) => {
    assert.equal(await reach("handle"), "no handle");
  });

  denies("are told that a datagram socket may not be bound", ["datagram"], /^Error: bind EPERM 0\.0\.0\.0$/);

  denies(
    "start no Worker by any name of the class",
    ["worker", "nodeWorker", "namedWorker", "constructedWorker", "extendedWorker", "workerByRuntime"],
    /^NotCapable: Requires workers access, run again with the --allow-workers flag/,
  );

  law("reach their own module by broadcast channels, and nobody else", async (reach) => {
    const heard: unknown[] = [];
    const channels = ["shared", "outside"].map((name) => new BroadcastChannel(name));
    const last = new BroadcastChannel("last");
    const ended = new Promise((resolve) => last.onmessage = resolve);
    for (const channel of channels) channel.onmessage = ({ data }) => heard.push(data);
    assert.deepEqual(await reach("talk"), ["shared", "heard"]);
    assert.equal(await reach("forgeChannel"), "tried");
    const sender = new BroadcastChannel("last");
    sender.postMessage("end");
    await ended;
    for (const channel of [...channels, last, sender]) channel.close();
    assert.deepEqual(heard, []);
  });

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
    [
      ...["package", "jsrPackage", "packageOfData", "packageByHooks"],
      ...["packageBehindBlank", "packageWithTab", "packageMisleading", "packageByRuntime"],
    ],
    /Cannot import \s*(?:npm|n\tpm|jsr):\S+: the code of the service does not name|Cannot load npm:\S+: a package/,
  );

  law("import the packages that their code names, also late", async (reach) => {
    assert.equal(await reach("ownPackage"), "function");
  });

  law("import data: modules, and what these import, unless it is a package", async (reach) => {
    const code =
      "import { join } from 'node:path'; import 'npm:acorn@^8.19.0'; export const path = join('a', 'b')";
    assert.deepEqual(await reach("import", `data:text/javascript,${encodeURIComponent(code)}`), ["path"]);
    assert.deepEqual(
      await reach("import", `data:application/typescript;base64,${btoa("export type A = 1")}`),
      [],
    );
    const tab = encodeURIComponent("import 'n\\tpm:leven@^4.1.0'");
    assert.match(
      String(await reach("import", `data:text/javascript,${tab}`)),
      /NotCapable: Cannot import npm:/,
    );
    assert.match(String(await reach("blob")), /NotCapable: .* it is a blob: URL\. Use a data: URL$/);
  });

  law("have none of Deno's own operations", async (reach) => {
    assert.equal(await reach("internals"), null);
  });

  law("have no arguments of the program, and no caches", async (reach) => {
    assert.deepEqual(await reach("arguments"), []);
    assert.equal(await reach("caches"), "undefined");
  });

  law("have the files of their module and of the runtime, and facts of the process", async (reach) => {
    assert.equal(await reach("ownFiles"), true);
    assert.equal(await reach("runtimeFiles"), true);
    const [folder, program, pid, isPlain] = await reach("facts") as readonly unknown[];
    assert.deepEqual([folder, program, isPlain], [Deno.cwd(), Deno.execPath(), true]);
    assert.equal(pid === Deno.pid, !ownProcess);
    assert.equal(await reach("stdin"), 0);
  });

  if (Deno.build.os === "linux") {
    law("listen to no signal, which would keep it from ending the process", async (reach) => {
      assert.equal(await reach("signals"), "listens");
      const caught = /^SigCgt:\s*(\w+)$/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]!;
      assert.equal((BigInt(`0x${caught}`) >> (SIGUSR2 - 1n)) & 1n, 0n);
    });
  }

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
