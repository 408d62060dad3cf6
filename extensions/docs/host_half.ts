/** Leads to the half in the main thread, and with it to its packages, whatever packs a program with the page. */
export const loadHost = (): Promise<typeof import("./host.ts")> => import("./host.ts");
