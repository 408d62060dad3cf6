import { createSpawner } from "../../runtime/loader.ts";
import { prepareModule } from "../../runtime/prepared_module.ts";
import { poolConformance } from "../conformance/pool.ts";

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
