/** The author's half of HTTP. It loads in every thread, and opens nothing. */
export { http, type HttpMethods, type HttpOptions, type HttpSchemas, type HttpSpec } from "./http.ts";
export type { RuleParams } from "./routing/rule.ts";
export type { HttpErrorFacts } from "./conversion.ts";
