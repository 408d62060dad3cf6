import type { DependencyHalf, DependencySetupHost } from "../../../runtime/hosting/host.ts";
import { hostAddress } from "../../../runtime/service/dependency.ts";
import type { ManifestDependency } from "../../../runtime/service/manifest.ts";
import { ClientGuard } from "./guard.ts";

/** The guards of a process, by the address of their dependency. */
export type ClientGuards = Map<string, Pick<ClientGuard, "request">>;

/** Sets up the guard of a client that has policies, and answers its threads, which tell of their fallbacks. */
export function setUpGuard(
  dependency: ManifestDependency,
  host: DependencySetupHost,
  guards: ClientGuards,
): DependencyHalf {
  const guard = new ClientGuard(dependency, host);
  const address = hostAddress(host.service, dependency.key);
  guards.set(address, guard);
  return {
    answer() {
      guard.fellBack();
      return "";
    },
    [Symbol.asyncDispose]() {
      if (guards.get(address) === guard) guards.delete(address);
      return Promise.resolve();
    },
  };
}
