import { http, rpc, service } from "../../mod.ts";

/** Milliseconds that each call takes. */
export const TAKES = 100;

/** Calls that each service can run in a second, with its four threads. */
export const CAPACITY = 4 * 1_000 / TAKES;

/** Milliseconds that each caller waits. */
export const PATIENCE = 1_000;

const work = () => new Promise<string>((resolve) => setTimeout(resolve, TAKES, "done"));

/** Refuses the calls that cannot be answered in time, as the default is. */
export const refusing = service("bench_refusing", {
  entrypoints: { work: rpc(), page: http("GET", "/refusing", { timeout: PATIENCE }) },
  handlers: { work, page: work },
});

/** Runs all calls. */
export const patient = service("bench_patient", {
  entrypoints: { work: rpc(), page: http("GET", "/patient", { timeout: PATIENCE }) },
  handlers: { work, page: work },
});
