import { createSpawner } from "../../../runtime/spawning/create_spawner.ts";
import { prepareModule } from "../../../runtime/module/prepare.ts";
import { poolConformance } from "../../conformance/pool.ts";

poolConformance(
  "web",
  async (moduleUrl, plan) =>
    createSpawner(await prepareModule(moduleUrl), "pool-test", { permissions: "none", ...plan, kind: "web" }),
  { killsSpinning: false, sandboxed: true },
);
