import { isDeepStrictEqual } from "node:util";
import type { ManifestEntrypoint } from "../service/manifest.ts";

/**
 * Returns whether each place means the same entrypoint in both lists. Then calls can go to either of them,
 * and the hosts of one list can host the other.
 */
export function sameEntrypoints(
  some: readonly ManifestEntrypoint[],
  others: readonly ManifestEntrypoint[],
): boolean {
  const essence = ({ method, kind, options }: ManifestEntrypoint) => ({ method, kind, options });
  return isDeepStrictEqual(some.map(essence), others.map(essence));
}
