/** What the command line needs to describe services as OpenAPI. */
export { openApiDocument } from "./http/openapi/document.ts";
