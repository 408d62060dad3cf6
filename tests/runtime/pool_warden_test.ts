import { createSpawner } from "../../runtime/loader.ts";
import { prepareModule } from "../../runtime/prepared_module.ts";
import { poolConformance } from "../conformance/pool.ts";

poolConformance(
  "warden",
  async (moduleUrl, plan) =>
    createSpawner(await prepareModule(moduleUrl), "pool-test", {
      permissions: "none",
      ...plan,
      kind: "warden",
    }),
  { killsSpinning: true, sandboxed: true },
);
