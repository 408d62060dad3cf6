import type { PlainRecord } from "../runtime/message/plain.ts";
import type { Manifest } from "../runtime/service/manifest.ts";
import { asyncApiDocument, type AsyncApiOptions } from "./asyncapi/document.ts";
import { eventSettings } from "./events/settings.ts";
import { rpcSettings } from "./rpc/settings.ts";
import type { Settings } from "./settings.ts";

/** Describes what services exchange through the broker as AsyncAPI, with the names that the settings give to it. */
export function describeMessages(
  manifests: readonly Manifest[],
  settings: Settings,
  { title, version, servers }: Pick<AsyncApiOptions, "title" | "version" | "servers">,
): PlainRecord {
  return asyncApiDocument(manifests, {
    title,
    version,
    servers,
    rpcExchange: settings.of(rpcSettings).exchange,
    autoDeleteExchanges: settings.of(eventSettings).autoDeleteExchanges,
  });
}
