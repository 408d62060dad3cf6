import { chmod } from "node:fs/promises";
import { ConfigurationError } from "../../../runtime/message/errors.ts";
import { clearSocketFile } from "../../http/listening/socket_file.ts";
import type { StreamTls } from "../settings.ts";
import type { OpenListener } from "./incoming.ts";
import { formatEnd, formatStreamAddress, type StreamAddress } from "./stream_address.ts";
import { listenError } from "../../http/listening/listen_failure.ts";
import {
  type PortShare,
  type SharedPortOptions,
  sharedPortOptions,
} from "../../http/listening/shared_port.ts";
import { isAboutPem, readPem } from "../../http/listening/pem_file.ts";

/** Options of {@linkcode openListener}. */
export interface OpenListenerOptions {
  readonly tls: StreamTls | undefined;
  readonly socketMode: number | undefined;
  /** The place of the process among those that share the address; undefined if it is its own. */
  readonly share?: PortShare | undefined;
}

/** What chooses the address, for messages. */
const ADDRESS_SETTING = "listen in stream()";

/**
 * Begins to listen.
 *
 * @throws {ConfigurationError} If the address cannot be used, or the files of TLS cannot.
 */
export async function openListener(
  address: StreamAddress,
  { tls, socketMode, share }: OpenListenerOptions,
): Promise<OpenListener> {
  try {
    const shared = sharedPortOptions(address, share);
    switch (address.scheme) {
      case "tcp":
        return listenerOf(
          "tcp",
          Deno.listen({ hostname: address.hostname, port: address.port, ...shared }),
        );
      case "unix":
        return await listenOnFile(address.path, socketMode);
      case "tls":
        return await listenWithTls(address, tls, shared);
    }
  } catch (error) {
    throw listenError(formatStreamAddress(address), error, ADDRESS_SETTING);
  }
}

async function listenOnFile(path: string, mode: number | undefined): Promise<OpenListener> {
  await clearSocketFile(path, ADDRESS_SETTING);
  const listener = Deno.listen({ transport: "unix", path });
  try {
    if (mode !== undefined) await chmod(path, mode);
  } catch (error) {
    listener.close();
    throw error;
  }
  return { address: `unix:${path}`, accept: () => listener.accept(), close: () => listener.close() };
}

async function listenWithTls(
  address: Extract<StreamAddress, { readonly port: number }>,
  tls: StreamTls | undefined,
  shared: SharedPortOptions,
): Promise<OpenListener> {
  const text = formatStreamAddress(address);
  if (tls === undefined) {
    throw new ConfigurationError(
      `Cannot listen on ${text}: there is no certificate. Set STREAM_TLS to a mapping with cert and key`,
    );
  }
  const cert = readPem(tls.cert, "STREAM_TLS.cert");
  const key = readPem(tls.key, "STREAM_TLS.key");
  try {
    if (tls.clientCa === undefined) {
      const { hostname, port } = address;
      return listenerOf("tls", Deno.listenTls({ hostname, port, cert, key, ...shared }));
    }
    const { listenForCertified } = await import("./certified_clients.ts");
    return await listenForCertified({ ...address, ...shared }, {
      cert,
      key,
      ca: readPem(tls.clientCa, "STREAM_TLS.client_ca"),
    });
  } catch (error) {
    if (!isAboutPem(error)) throw error;
    throw new ConfigurationError(
      `Cannot use STREAM_TLS with cert ${tls.cert} and key ${tls.key}: ${error.message}. Both must be PEM files ` +
        "that belong together",
      { cause: error },
    );
  }
}

function listenerOf(
  scheme: "tcp" | "tls",
  listener: Deno.TcpListener | Deno.TlsListener,
): OpenListener {
  return {
    address: formatEnd(scheme, listener.addr),
    async accept() {
      const connection = await listener.accept();
      if ("setNoDelay" in connection) {
        connection.setNoDelay();
        connection.setKeepAlive();
      }
      return connection;
    },
    close: () => listener.close(),
  };
}
