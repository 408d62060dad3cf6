import type { Payload } from "../../runtime/service/entrypoint.ts";

/** What a tick carries to its handler: nothing. */
export const TICK: Payload = { body: undefined, contentType: undefined, headers: undefined };
