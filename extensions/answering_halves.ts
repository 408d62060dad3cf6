import type { DependencyRegistry, DependencySetup } from "../runtime/hosting/host.ts";
import { hostAddress } from "../runtime/service/dependency.ts";
import { Lazy } from "../runtime/waiting/lazy.ts";
import { loadHostHalf } from "./optional_halves.ts";
import type { LocalAnswer } from "./service_messenger.ts";
import type { Settings } from "./settings.ts";

/** Makes the built-in kinds of dependencies that have a half in the main thread. */
function ownHalves(settings: Settings): DependencyRegistry {
  const caches = new Lazy(async () => {
    const { Caches, cacheSettings } = await loadHostHalf<typeof import("./cache/host.ts")>("cache");
    return new Caches(settings.of(cacheSettings));
  });
  return {
    async metrics(_dependency, host) {
      const { createMetricsHalf } = await import("./metrics/host.ts");
      return createMetricsHalf(host);
    },
    async sql(dependency, host) {
      const { setUpSql } = await loadHostHalf<typeof import("./sql/host.ts")>("sql");
      return await setUpSql(dependency, host);
    },
    async cache(dependency, host) {
      return await (await caches.get()).halfOf(dependency, host);
    },
  };
}

/**
 * Makes the threads' questions to the halves of dependencies reach these: to the built-in ones, and to those of
 * extensions.
 */
export function answering(
  setups: DependencyRegistry,
  local: Map<string, LocalAnswer>,
  settings: Settings,
): DependencyRegistry {
  return Object.fromEntries(
    Object.entries({ ...ownHalves(settings), ...setups }).map((
      [kind, setUp],
    ): [string, DependencySetup] => [kind, async (dependency, host) => {
      const half = await setUp(dependency, host);
      if (half?.answer === undefined) return half;
      const address = hostAddress(host.service, dependency.key);
      const answer: LocalAnswer = ({ body }, _service, options) => half.answer!(body, options);
      local.set(address, answer);
      return {
        async [Symbol.asyncDispose]() {
          if (local.get(address) === answer) local.delete(address);
          await half[Symbol.asyncDispose]?.();
        },
      };
    }]),
  );
}
