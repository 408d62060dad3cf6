/** The author's half of HTTP. It loads in every thread, and opens nothing. */
export { http, type HttpErrorFacts, type HttpOptions, type HttpSchemas, type HttpSpec } from "./http.ts";
