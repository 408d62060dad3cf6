import { createSpawner } from "../../../runtime/spawning/create_spawner.ts";
import { prepareModule } from "../../../runtime/module/prepare.ts";
import { poolConformance } from "../../conformance/pool.ts";

poolConformance(
  "process",
  async (moduleUrl, plan) =>
    createSpawner(await prepareModule(moduleUrl), "pool-test", {
      permissions: "none",
      ...plan,
      kind: "process",
    }),
  { killsSpinning: true, sandboxed: true, ownProcess: true },
);
