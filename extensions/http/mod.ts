/** The author's half of HTTP: loads in every thread, opens nothing. */
export { http, type HttpErrorFacts, type HttpOptions, type HttpSchemas, type HttpSpec } from "./http.ts";
