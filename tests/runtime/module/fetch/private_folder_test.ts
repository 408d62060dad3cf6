import { rejects, strictEqual } from "node:assert/strict";
import { local } from "../../../../extensions/local/mod.ts";
import { ModuleCache } from "../../../../runtime/module/fetch/cache.ts";
import { dangerOf } from "../../../../runtime/module/fetch/private_folder.ts";

Deno.test("dangerOf() names a folder where users other than this one and root can replace files", () => {
  for (
    const [uid, mode, danger] of [
      [7, 0o40700, undefined],
      [7, 0o40755, undefined],
      [0, 0o40755, undefined],
      [0, 0o41777, undefined],
      [7, 0o41777, undefined],
      [7, 0o40775, "other users may write to it"],
      [7, 0o40702, "other users may write to it"],
      [0, 0o40777, "other users may write to it"],
      [8, 0o40700, "it belongs to user 8"],
      [8, 0o41777, "it belongs to user 8"],
    ] as const
  ) strictEqual(dangerOf({ uid, mode }, 7), danger, `${uid} ${mode.toString(8)}`);
});

async function withOpenFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.chmod(folder, 0o777);
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const MESSAGE = /: other users may write to it\. Run chmod go-w /;

Deno.test("ModuleCache refuses a folder that others can write to", () =>
  withOpenFolder(async (folder) => {
    const refused = { name: "ConfigurationError", message: MESSAGE };
    await rejects(new ModuleCache(folder).read("https://code.example/a.ts"), refused);
    const content = {
      url: "https://code.example/a.ts",
      contentType: undefined,
      bytes: new Uint8Array(),
      sha256: "0",
    };
    await rejects(new ModuleCache(folder).write("https://code.example/a.ts", content), refused);
  }));

Deno.test("ModuleCache refuses a folder whose entries others can write", () =>
  withOpenFolder(async (folder) => {
    await Deno.chmod(folder, 0o700);
    await Deno.mkdir(`${folder}/entries`);
    await Deno.chmod(`${folder}/entries`, 0o777);
    await rejects(new ModuleCache(folder).read("https://code.example/a.ts"), MESSAGE);
  }));

Deno.test("a local broker refuses a socket in a directory that others can write to", () =>
  withOpenFolder(async (folder) => {
    await using transport = local({ address: `local://${folder}/broker.sock` });
    await rejects(transport.connect(), { name: "BrokerError", message: MESSAGE });
  }));
