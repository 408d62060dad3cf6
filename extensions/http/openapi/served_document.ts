import type { Log } from "../../../runtime/log/log.ts";
import type { DocumentSettings } from "../settings.ts";
import { openApiDocument } from "./document.ts";
import type { ServedDocument } from "./document_route.ts";

/** The OpenAPI document as the server offers it. */
export function servedOpenApi(settings: DocumentSettings, log: Log): ServedDocument {
  return {
    name: "the OpenAPI document",
    path: settings.path,
    kinds: ["http"],
    make: (manifests) =>
      openApiDocument(manifests, { ...settings, onOmission: (message) => log.warning(message) }),
    complete(document, origin) {
      const { servers = /^https?:/.test(origin) ? [origin] : [] } = settings;
      return { ...document, ...(servers.length > 0 && { servers: servers.map((url) => ({ url })) }) };
    },
  };
}
