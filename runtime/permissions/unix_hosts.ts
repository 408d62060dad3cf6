/** The host of a socket that nobody has. */
const NO_SOCKET = "unix:/no/such/socket";

/**
 * Whether the permission for the network has an item for a Unix socket, such as `unix:/tmp/socket`. Earlier versions of
 * Deno ask for the permissions to read and to write the socket alone.
 */
export function hasUnixHosts(): boolean {
  try {
    // Deno reads the host of a query only if it has no permission for all hosts.
    Deno.permissions.revokeSync({ name: "net", host: NO_SOCKET });
    return true;
  } catch {
    return false;
  }
}
