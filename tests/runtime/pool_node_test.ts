import { createSpawner } from "../../runtime/loader.ts";
import { prepareModule } from "../../runtime/prepared_module.ts";
import { poolConformance } from "../conformance/pool.ts";

poolConformance(
  "node",
  async (moduleUrl, plan) =>
    createSpawner(await prepareModule(moduleUrl), "pool-test", { permissions: "all", ...plan, kind: "node" }),
  { killsSpinning: true, sandboxed: false },
);
