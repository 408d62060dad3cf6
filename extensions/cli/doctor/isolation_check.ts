import { Claims } from "../../../runtime/channel/claims.ts";
import { ownNeeds } from "../../../runtime/program/own_modules.ts";
import { threadPlan } from "../../../runtime/serving/loading/thread_plan.ts";
import { PROCESS_LIMIT_KEYS } from "../../../runtime/serving/limits/process_limit_settings.ts";
import type { ServiceSettings } from "../../../runtime/serving/settings.ts";
import { createSpawner, type ThreadPlan } from "../../../runtime/spawning/create_spawner.ts";
import { isolationOf, processObstacle } from "../../../runtime/spawning/isolation.ts";
import type { Check, Findings } from "./finding.ts";

/**
 * Tries whether services can have processes of their own, as far as they are to have some: starts one for each set of
 * permissions and limits, with a thread in it, and ends it.
 *
 * @param services The settings of the services, by name.
 */
export function isolationCheck(services: ReadonlyMap<string, ServiceSettings>): Check {
  return async (found, signal) => {
    const obstacle = processObstacle();
    const open = [...services].filter(([, { isolation, permissions }]) =>
      isolation === undefined && permissions !== "all"
    );
    if (obstacle !== undefined && open.length > 0) {
      found.warn(
        `No process of its own for ${open.map(([name]) => name).join(", ")}: ${obstacle}. ` +
          "Trust the code of these services, or start Enoki otherwise",
      );
    }
    const isolated = [...services].filter(([, settings]) => isolationOf(settings) === "process");
    const alike = Map.groupBy(
      isolated.map(([name, settings]) => ({ name, plan: threadPlan(settings) })),
      ({ plan }) => JSON.stringify(plan),
    );
    for (const group of alike.values()) {
      signal.throwIfAborted();
      await tryProcess(group.map(({ name }) => name).join(", "), group[0]!.plan, found);
    }
  };
}

async function tryProcess(names: string, plan: ThreadPlan, found: Findings): Promise<void> {
  const start = performance.now();
  const { promise: module, resolve } = Promise.withResolvers<string>();
  await using spawner = await createSpawner({ url: names, source: module, needs: ownNeeds() }, names, plan);
  const thread = spawner.spawn({ name: "doctor#1", claims: new Claims().buffer });
  // The thread ends as soon as it is there, and loads nothing.
  thread.kill();
  const reason = await thread.ended;
  const isThere = spawner.place?.ownPid !== undefined;
  resolve("data:,");
  if (!isThere) {
    found.problem(
      `Cannot give ${names} a process: ${reason}. Mend what it says, or use isolation: threads`,
    );
    return;
  }
  const took = Math.round(performance.now() - start);
  found.ok(`A process for ${names} started and ended, which took ${took} ms`);
  // The system itself limits open files. Somebody has to look after the others.
  const { openFilesLimit: _, ...watched } = PROCESS_LIMIT_KEYS;
  const limits = Object.entries(watched).flatMap(([name, key]) =>
    plan[name as keyof typeof watched] === undefined ? [] : [key]
  );
  if (limits.length === 0 || Deno.build.os === "linux") return;
  found.warn(
    `No effect here: ${limits.join(" and ")} of ${names}, because only Linux tells what a process uses. ` +
      "Limit it from outside",
  );
}
