/** The threads of a process that has all permissions, as in a binary, and restricts its threads by a warden. */
import { prepareModule } from "../../../runtime/module/prepare.ts";
import { threadPermissions } from "../../../runtime/permissions/permissions.ts";
import { permittedVariables } from "../../../runtime/permissions/variables.ts";
import { DEFAULT_HEAP_LIMIT } from "../../../runtime/spawning/create_spawner.ts";
import { processCommand } from "../../../runtime/spawning/process/process_command.ts";
import { ProcessThreads } from "../../../runtime/spawning/process/process_threads.ts";
import { poolLosingLaws } from "../../conformance/pool_losing_laws.ts";
import { poolPermissionLaws } from "../../conformance/pool_permission_laws.ts";
import { PoolStage, type SpawnerFactory } from "../../conformance/pool_stage.ts";

const NAME = "process and warden";

const createSpawner: SpawnerFactory = async (moduleUrl, { permissions = "none", ...plan } = {}) => {
  const { source, needs } = await prepareModule(moduleUrl);
  if (permissions === "all") throw new TypeError("Cannot restrict a service that has all permissions");
  return new ProcessThreads(source, {
    command: (socket) => ({
      ...processCommand({ permissions: "all" }, socket),
      sandbox: threadPermissions(permissions, needs!),
    }),
    heapLimit: DEFAULT_HEAP_LIMIT,
    rights: {
      packages: needs!.packages,
      workers: permissions !== "none" && permissions.workers === true,
      variables: permittedVariables(permissions),
    },
    ...plan,
  });
};

poolPermissionLaws(NAME, createSpawner);
poolLosingLaws((text, plan, proof) => {
  Deno.test(`Pool of ${NAME} threads ${text}`, async () => {
    await using stage = await PoolStage.open(createSpawner, plan);
    await proof(stage);
  });
}, { killsSpinning: true });
