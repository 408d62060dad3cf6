import { didYouMean, nearestNames } from "../../runtime/service/options/nearest_names.ts";
import type { ServiceContainer } from "../../runtime/serving/service_container.ts";

/** Says whether a method of a service is named. */
export type MethodFilter = (service: string, method: string) => boolean;

/**
 * Makes a filter of patterns `service.method`, of which either part may be `*`.
 *
 * @throws {TypeError} If a pattern has another form.
 */
export function methodFilter(patterns: readonly string[]): MethodFilter {
  if (!Array.isArray(patterns)) {
    throw new TypeError(
      'Cannot start only some entrypoints: "only" is no list. Write only: ["orders.place"]',
    );
  }
  const parts = patterns.map((pattern) => {
    const { service, method } = /^(?<service>[^.]+)\.(?<method>[^.]+)$/.exec(String(pattern))?.groups ?? {};
    if (service !== undefined) return { service, method };
    throw new TypeError(
      `Cannot start only "${pattern}": it names no method. Write "orders.place", or "orders.*" for all of a service`,
    );
  });
  return (service, method) =>
    parts.some((part) =>
      (part.service === "*" || part.service === service) && (part.method === "*" || part.method === method)
    );
}

/**
 * Checks that each pattern names a method of a service.
 *
 * @throws {TypeError} If one names none.
 */
export function requireMatches(
  patterns: readonly string[],
  containers: ReadonlyMap<string, ServiceContainer>,
): void {
  const names = [...containers].flatMap(([service, { manifest }]) =>
    manifest.entrypoints.map(({ method }) => `${service}.${method}`)
  );
  for (const pattern of patterns) {
    const filter = methodFilter([pattern]);
    if (names.some((name) => filter(...(name.split(".") as [string, string])))) continue;
    throw new TypeError(
      `Cannot start only "${pattern}": no service here has it${didYouMean(nearestNames(pattern, names))}`,
    );
  }
}
