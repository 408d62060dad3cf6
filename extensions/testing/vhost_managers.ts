/** The two ways to make and to remove a vhost of RabbitMQ: its management plugin, and its command line. */
import { ManagementApi, type ManagementRequest } from "../amqp/management_api.ts";
import type { BrokerAddress } from "../amqp/uri.ts";

/** A way to manage vhosts. */
export interface VhostManager {
  /** Makes a vhost, which the user of the URI may use. */
  make(name: string, user: string, signal: AbortSignal): Promise<void>;
  remove(name: string, signal: AbortSignal): Promise<void>;
}

/**
 * Gives the ways to manage the vhosts of a broker, the quicker one first.
 *
 * @param management URI of the management plugin, which is then the only way.
 */
export function vhostManagers(address: BrokerAddress, management?: string): readonly VhostManager[] {
  const plugin = managementPlugin(new ManagementApi(address, management));
  return management === undefined && LOCAL.has(address.host) ? [plugin, RABBITMQCTL] : [plugin];
}

const LOCAL: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "::1"]);

/** Manages vhosts by the HTTP API of the management plugin. */
function managementPlugin(api: ManagementApi): VhostManager {
  const told = `the management plugin at ${api.origin}`;
  const send = async (request: ManagementRequest) => {
    let status: number;
    try {
      const response = await api.send(request);
      await response.body?.cancel();
      ({ status } = response);
    } catch (error) {
      throw new Error(`${told} does not answer (${(error as Error).message})`, { cause: error });
    }
    if (status >= 300) throw new Error(`${told} answered with status ${status}`);
  };
  const all = { configure: ".*", write: ".*", read: ".*" };
  return {
    async make(vhost, user, signal) {
      await send({ method: "PUT", path: ["vhosts", vhost], signal });
      await send({ method: "PUT", path: ["permissions", vhost, user], body: all, signal });
    },
    remove: (vhost, signal) => send({ method: "DELETE", path: ["vhosts", vhost], signal }),
  };
}

/** Manages vhosts by the command line of the broker of this machine. */
const RABBITMQCTL: VhostManager = {
  async make(vhost, user, signal) {
    await rabbitmqctl(["add_vhost", vhost], signal);
    await rabbitmqctl(["set_permissions", "-p", vhost, user, ".*", ".*", ".*"], signal);
  },
  remove: (vhost, signal) => rabbitmqctl(["delete_vhost", vhost], signal),
};

async function rabbitmqctl(args: readonly string[], signal: AbortSignal): Promise<void> {
  const command = `rabbitmqctl ${args[0]}`;
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("rabbitmqctl", {
      args: ["-q", ...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      signal,
    }).output();
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    throw new Error(isMissing ? "rabbitmqctl is not installed" : `${command} failed: ${error}`, {
      cause: error,
    });
  }
  if (output.success) return;
  const text = new TextDecoder().decode(output.stderr).trim().split("\n")[0];
  throw new Error(`${command} failed: ${text || `it ended with status ${output.code}`}`);
}
