import { dirname } from "node:path";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { httpSettings } from "../../http/settings.ts";
import { formatListenAddress, type ListenAddress, WEB_ADDRESS } from "../../http/listening/listen_address.ts";
import { listenFailure } from "../../http/listening/listen_failure.ts";
import { parseStreamAddress } from "../../stream/listening/stream_address.ts";
import type { Manifest } from "../../../runtime/service/manifest.ts";
import { hostConfig } from "../../../runtime/serving/served_config.ts";
import { serviceSettings } from "../../../runtime/serving/settings.ts";
import type { Settings } from "../../settings.ts";
import type { Check, Findings } from "./finding.ts";

/**
 * Looks whether the addresses are free that services listen on.
 *
 * @param manifests The services; undefined if no module is named, so that they are not known.
 */
export function portCheck(settings: Settings, manifests: readonly Manifest[] | undefined): Check {
  return async (found) => {
    const kinds = new Set(manifests?.flatMap(({ entrypoints }) => entrypoints.map(({ kind }) => kind)));
    if (manifests === undefined || kinds.has("http") || kinds.has("websocket")) {
      const { address } = settings.of(httpSettings);
      // Without a module, nobody knows whether HTTP is served at all.
      await look(address, "HTTP", WEB_ADDRESS, found, manifests === undefined ? "warn" : "problem");
    }
    if (settings.health.apart !== undefined) {
      await look(settings.health.apart.address, "health", "HEALTH_ADDRESS", found, "problem");
    }
    for (const [listen, service] of streamsOf(manifests ?? [], settings)) {
      const address = parseStreamAddress(listen);
      if (address === undefined) found.problem(`${service} cannot listen on "${listen}": it is no address`);
      else await look(address, `the stream of ${service}`, "listen in stream()", found, "problem");
    }
  };
}

function streamsOf(
  manifests: readonly Manifest[],
  { config, runtime }: Settings,
): ReadonlyMap<string, string> {
  const addresses = manifests.flatMap(({ name, entrypoints }) => {
    const seen = hostConfig(config, serviceSettings(runtime, name));
    return entrypoints.flatMap(({ kind, options: { listen } }): (readonly [string, string])[] => {
      if (kind !== "stream") return [];
      const text = typeof listen === "string" ? listen : seen[(listen as { readonly config: string }).config];
      return typeof text === "string" ? [[text, name]] : [];
    });
  });
  return new Map(addresses);
}

async function look(
  address: ListenAddress,
  purpose: string,
  setting: string,
  found: Findings,
  state: "warn" | "problem",
): Promise<void> {
  const text = formatListenAddress(address);
  try {
    if ("path" in address) await access(dirname(address.path), constants.W_OK);
    else Deno.listen({ hostname: address.hostname, port: address.port }).close();
    found.ok(`${text} is free for ${purpose}`);
  } catch (error) {
    const reason = "path" in address ? "its folder is not there or not writable" : listenFailure(error);
    found[state](
      `Cannot listen on ${text} for ${purpose}: ${reason}. Stop what listens there, or choose another address with ` +
        setting,
    );
  }
}
