import { type GrowingDelay, growingDelay } from "../../runtime/waiting/growing_delay.ts";
import type { RedisClientOptions, RedisClusterOptions } from "./client_library.ts";
import type { RedisServer, RedisTls } from "./settings.ts";

type None = Record<never, never>;

/** Options of a client without modules, functions and scripts. */
type ClientOptions = RedisClientOptions<None, None, None, 3, None>;

/** Options of a cluster without them. */
type ClusterOptions = RedisClusterOptions<None, None, None, 3, None>;

/** The waits between two attempts to connect. */
export const RECONNECTION: GrowingDelay = { first: 50, longest: 2_000 };

/** Milliseconds between two questions whether Redis is still there. */
const PING_INTERVAL = 10_000;

/** Milliseconds of silence after which a connection counts as lost. */
const SILENCE = 30_000;

/**
 * Gives the options of a client.
 *
 * @throws If a file of the TLS settings cannot be read.
 */
export async function clientOptions(server: RedisServer): Promise<ClientOptions> {
  const [{ host, port, database }] = server.addresses;
  const { socket, ...common } = await commonOptions(server);
  return { ...common, database, socket: { ...socket, host, port, reconnectStrategy: false } };
}

/** Gives the options of a cluster. Throws as {@linkcode clientOptions} does. */
export async function clusterOptions(server: RedisServer): Promise<ClusterOptions> {
  const defaults = await commonOptions(server);
  return {
    rootNodes: server.addresses.map(({ host, port }) => ({ socket: { host, port } })),
    defaults,
    // A node that is away would hold up the first command of all the others.
    minimizeConnections: true,
  };
}

async function commonOptions({ addresses: [{ username, password }], tls, connectTimeout }: RedisServer) {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    socket: {
      connectTimeout,
      reconnectStrategy: (tries: number) => growingDelay(tries + 1, RECONNECTION),
      socketTimeout: SILENCE,
      ...(tls && await tlsOptions(tls)),
    },
    pingInterval: PING_INTERVAL,
    // Who waits for a connection waits in our own file, which knows how long.
    disableOfflineQueue: true,
    commandOptions: { timeout: 0 },
    maintNotifications: "disabled" as const,
  };
}

async function tlsOptions({ ca, cert, key, serverName, verify }: RedisTls) {
  const [authority, certificate, privateKey] = await Promise.all([ca, cert, key].map(pemOf));
  return {
    tls: true as const,
    rejectUnauthorized: verify,
    ...(authority !== undefined && { ca: authority }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(privateKey !== undefined && { key: privateKey }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

/** Gives the text of a PEM file, or PEM itself. */
async function pemOf(source: string | undefined): Promise<string | undefined> {
  if (source === undefined || source.includes("-----BEGIN ")) return source;
  try {
    return await Deno.readTextFile(source);
  } catch (cause) {
    throw new Error(`a file that SSL names cannot be read: ${(cause as Error).message}`, { cause });
  }
}
