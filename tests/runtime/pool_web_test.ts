import { createSpawner } from "../../runtime/loader.ts";
import { prepareModule } from "../../runtime/prepared_module.ts";
import { poolConformance } from "../conformance/pool.ts";

poolConformance(
  "web",
  async (moduleUrl, plan) =>
    createSpawner(await prepareModule(moduleUrl), "pool-test", { permissions: "none", ...plan, kind: "web" }),
  { killsSpinning: false, sandboxed: true },
);
