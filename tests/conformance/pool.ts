/**
 * The laws of `runtime/pool.ts`, registered as tests for the threads of one kind.
 *
 * Handlers are held and released through a {@linkcode Gate}, so that no test waits by the clock for what it can
 * see; what the clock decides (timeouts, patience) is judged with room for a busy machine.
 */
import { poolEndingLaws } from "./pool_ending_laws.ts";
import { poolEnvironmentLaws } from "./pool_environment_laws.ts";
import { poolLoadingLaws } from "./pool_loading_laws.ts";
import { poolLosingLaws } from "./pool_losing_laws.ts";
import { poolMessagingLaws } from "./pool_messaging_laws.ts";
import { poolClosingLaws } from "./pool_closing_laws.ts";
import { poolPermissionLaws } from "./pool_permission_laws.ts";
import { poolPropertyLaws } from "./pool_property_laws.ts";
import { poolRenewalLaws } from "./pool_renewal_laws.ts";
import { poolSharingLaws } from "./pool_sharing_laws.ts";
import { PoolStage, type SpawnerFactory, type StagePlan } from "./pool_stage.ts";
import { poolTimingLaws } from "./pool_timing_laws.ts";

/** What threads of a kind can do. */
export interface PoolCapabilities {
  /** Whether the service has threads of its own, which it may end. @default {true} */
  readonly threads?: boolean;
  /** Whether a spinning thread can be stopped, and its heap be limited. */
  readonly killsSpinning: boolean;
  /** Whether permissions can be less than those of the process. */
  readonly sandboxed: boolean;
  /** Whether they have a process of their own. @default {false} */
  readonly ownProcess?: boolean;
}

/** Registers a law and its proof, on a pool of its own that is made as `plan` says. */
export type PoolLaw = (text: string, plan: StagePlan, proof: (stage: PoolStage) => Promise<void>) => void;

/** Registers one `Deno.test` for each law of a pool. */
export function poolConformance(
  name: string,
  createSpawner: SpawnerFactory,
  { threads = true, killsSpinning, sandboxed, ownProcess = false }: PoolCapabilities,
): void {
  const law: PoolLaw = (text, plan, proof) => {
    Deno.test(`Pool of ${name} threads ${text}`, async () => {
      await using stage = await PoolStage.open(createSpawner, plan);
      await proof(stage);
    });
  };
  poolSharingLaws(law, { threads });
  poolTimingLaws(law, { killsSpinning, threads });
  poolEndingLaws(law);
  poolMessagingLaws(law);
  poolPropertyLaws(law, { threads });
  poolRenewalLaws(law, { threads });
  poolLoadingLaws(name, createSpawner, { threads });
  if (threads) poolLosingLaws(law, { killsSpinning });
  if (threads) poolEnvironmentLaws(name, createSpawner, { sandboxed });
  if (sandboxed) {
    poolPermissionLaws(name, createSpawner);
    poolClosingLaws(name, createSpawner, { ownProcess });
  }
}
