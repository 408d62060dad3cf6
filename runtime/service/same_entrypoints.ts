import { isDeepStrictEqual } from "node:util";
import { isRecord, type Plain } from "../message/plain.ts";
import type { ManifestEntrypoint } from "./manifest.ts";

/**
 * Returns whether each place means the same entrypoint in both lists. Then calls can go to either of them,
 * and the hosts of one list can host the other.
 */
export function sameEntrypoints(
  some: readonly ManifestEntrypoint[],
  others: readonly ManifestEntrypoint[],
): boolean {
  return isDeepStrictEqual(some.map(essence), others.map(essence));
}

/** Says where two lists of entrypoints first differ, such as `the queue.name of take: "a" ≠ "b"`. */
export function firstDifference(
  some: readonly ManifestEntrypoint[],
  others: readonly ManifestEntrypoint[],
): string | undefined {
  const length = Math.max(some.length, others.length);
  for (let place = 0; place < length; place++) {
    const [one, other] = [some[place], others[place]];
    if (one === undefined || other === undefined || one.method !== other.method || one.kind !== other.kind) {
      return `${nameOf(one)} ≠ ${nameOf(other)}`;
    }
    const difference = differenceOf(one.options, other.options, "");
    if (difference !== undefined) return `${one.kind} ${one.method}, ${difference}`;
  }
  return undefined;
}

function essence({ method, kind, options }: ManifestEntrypoint): Partial<ManifestEntrypoint> {
  return { method, kind, options };
}

function nameOf(entry: ManifestEntrypoint | undefined): string {
  return entry === undefined ? "nothing" : `${entry.kind} ${entry.method}`;
}

function differenceOf(one: Plain | undefined, other: Plain | undefined, path: string): string | undefined {
  if (isDeepStrictEqual(one, other)) return undefined;
  if (isRecord(one) && isRecord(other)) {
    for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
      const difference = differenceOf(one[key], other[key], path === "" ? key : `${path}.${key}`);
      if (difference !== undefined) return difference;
    }
  }
  return `${path} ${shown(one)} ≠ ${shown(other)}`;
}

function shown(value: Plain | undefined): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 100);
}
