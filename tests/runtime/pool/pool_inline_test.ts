import { createSpawner } from "../../../runtime/spawning/create_spawner.ts";
import { prepareModule } from "../../../runtime/module/prepare.ts";
import { poolConformance } from "../../conformance/pool.ts";

poolConformance(
  "inline",
  async (moduleUrl, plan) =>
    createSpawner(await prepareModule(moduleUrl), "pool-test", {
      permissions: "all",
      ...plan,
      kind: "inline",
    }),
  { killsSpinning: false, sandboxed: false, threads: false },
);
