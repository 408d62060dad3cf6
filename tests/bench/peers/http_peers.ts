import { PortPeer } from "../port_peer.ts";
import { unlessLeftOut } from "./left_out.ts";
import { NodeFolder } from "./node_folder.ts";

const FASTIFY = "5.12.8";
const HONO = "4.13.19";

/** Starts the servers that can be had here, by their names with versions; the stack disposes them. */
export async function startHttpPeers(stack: AsyncDisposableStack): Promise<ReadonlyMap<string, PortPeer>> {
  const peers = new Map<string, PortPeer>();
  await unlessLeftOut("Fastify", async () => {
    const folder = stack.use(await NodeFolder.install(`fastify@${FASTIFY}`));
    const peer = stack.use(await PortPeer.run("node", folder.script("peers/fastify_peer.ts")));
    peers.set(`Fastify ${FASTIFY}, ${folder.node}`, peer);
  });
  await unlessLeftOut("Hono", async () => {
    const script = new URL(import.meta.resolve("./hono_peer.ts")).pathname;
    const run = [
      "run",
      "-A",
      "--no-prompt",
      "--quiet",
      "--no-config",
      "--no-lock",
      script,
      `npm:hono@${HONO}`,
    ];
    peers.set(`Hono ${HONO}`, stack.use(await PortPeer.run(Deno.execPath(), ...run)));
  });
  return peers;
}
