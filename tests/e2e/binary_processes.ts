import { join } from "node:path";
import { connect } from "../../extensions/run.ts";
import { ATTACKING, ownProcessLaws } from "../conformance/own_process_laws.ts";
import type { attacker, guest, neighbour } from "../fixtures/services/attacking.ts";
import { ModuleOrigin } from "../fixtures/module_origin.ts";
import { servicePath } from "../fixtures/serve_in_memory.ts";
import { type Binaries, SHOP } from "./binaries.ts";
import { Program } from "./program.ts";

/** Registers the laws of services that have processes of their own in a binary, which starts itself for them. */
export function binaryProcessLaws({ folder, generic }: Binaries): void {
  let stages = 0;
  ownProcessLaws("the generic binary", async () => {
    const broker = `local://${join(folder, `processes_${stages++}.sock`)}`;
    const config = join(folder, "processes.json");
    await Deno.writeTextFile(config, JSON.stringify(ATTACKING));
    const program = new Program(
      [generic, "run", "--broker", broker, "--config", config, servicePath("attacking.ts")],
      { cwd: folder },
    );
    await program.says("Ready on");
    const connection = await connect({ broker });
    return {
      mainProcess: program.pid,
      attacker: connection.client<typeof attacker>("attacker"),
      guest: connection.client<typeof guest>("guest"),
      neighbour: connection.client<typeof neighbour>("neighbour"),
      lines: () => program.err.split("\n"),
      async [Symbol.asyncDispose]() {
        await connection.close();
        program.kill("SIGTERM");
        await program.end();
      },
    };
  });

  Deno.test("The generic binary serves a module of the network in a process of its own", async () => {
    await using origin = new ModuleOrigin({ "/shop.ts": await Deno.readTextFile(SHOP) });
    const flags = ["--broker", "memory:", "--http", "127.0.0.1:0", "--isolation", "process"];
    await using program = new Program([generic, "run", ...flags, origin.url("/shop.ts")], { cwd: folder });
    await program.says(/in a process of its own[^]*Ready on memory:/);
  });
}
