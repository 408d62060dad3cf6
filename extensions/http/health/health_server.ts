import type { Log } from "../../../runtime/log/log.ts";
import type { ListenAddress } from "../listening/listen_address.ts";
import type { PortShare } from "../listening/shared_port.ts";
import { HttpServer } from "../server.ts";
import type { HttpSettings } from "../settings.ts";
import type { OwnPages } from "./own_pages.ts";

/**
 * Begins to listen at an address where a process answers about itself and nothing else.
 *
 * @param share The place of the process among several: each has the port behind that of the one before.
 * @throws {ConfigurationError} If the server cannot listen there.
 */
export async function openHealthServer(
  settings: HttpSettings,
  address: ListenAddress,
  own: OwnPages,
  log: Log,
  share?: PortShare,
): Promise<HttpServer> {
  const server = new HttpServer({
    ...settings,
    address: share === undefined || "path" in address
      ? address
      : { ...address, port: address.port + share.index },
    share,
    hosts: undefined,
    tls: undefined,
    cors: undefined,
    own,
    setting: "HEALTH_ADDRESS",
    log,
  });
  await server.listenForHealth();
  await server.listen();
  return server;
}
