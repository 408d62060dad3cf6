/** Leads whatever packs a service with this extension to the half in the main thread, too. */
export const loadHost = (): Promise<typeof import("./host.ts")> => import("./host.ts");
