/** Leads what packs, caches or locks a service with this door to the half in the main thread. */
export const loadHost = (): Promise<typeof import("./host.ts")> => import("./host.ts");
