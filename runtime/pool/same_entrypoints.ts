import { isDeepStrictEqual } from "node:util";
import type { ManifestEntrypoint } from "../service/manifest.ts";

/** Whether calls mean the same by the places of these entrypoints, and whoever hosts the ones can host the others. */
export function sameEntrypoints(
  some: readonly ManifestEntrypoint[],
  others: readonly ManifestEntrypoint[],
): boolean {
  const essence = ({ method, kind, options }: ManifestEntrypoint) => ({ method, kind, options });
  return isDeepStrictEqual(some.map(essence), others.map(essence));
}
