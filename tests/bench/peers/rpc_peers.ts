import { RpcSide } from "../rpc_side.ts";
import { unlessLeftOut } from "./left_out.ts";
import { NodeFolder } from "./node_folder.ts";

const MOLECULER = "0.15.2";
const AMQPLIB = "0.10.9";

/** Another framework, whose echo is measured. */
export interface RpcPeer {
  /** With its version. */
  readonly name: string;
  /** Whether its messages are persistent, as those of Enoki that it is compared with. */
  readonly delivery: "persistent" | "transient";
  readonly side: RpcSide;
}

/** Starts the servers and clients of others that can be had here; the stack disposes them. */
export async function startRpcPeers(
  stack: AsyncDisposableStack,
  broker: string,
): Promise<readonly RpcPeer[]> {
  const peers: RpcPeer[] = [];
  await unlessLeftOut("Moleculer", async () => {
    const folder = stack.use(await NodeFolder.install(`moleculer@${MOLECULER}`, `amqplib@${AMQPLIB}`));
    const script = folder.script("peers/moleculer_peer.ts");
    const namespace = `bench-${crypto.randomUUID().slice(0, 8)}`;
    const command = (role: string) => ["node", script, role, broker, namespace] as const;
    const side = stack.use(await RpcSide.run(command("serve"), command("load")));
    peers.push({ name: `Moleculer ${MOLECULER}`, delivery: "transient", side });
  });
  await unlessLeftOut("Nameko", async () => {
    // It may install Nameko, so it is loaded where Nameko is wanted.
    const { NAMEKO, namekoObstacle, namekoPython } = await import("../../fixtures/nameko.ts");
    if (namekoObstacle !== undefined) throw new Error(namekoObstacle);
    const { command: python } = await namekoPython(NAMEKO);
    const script = new URL(import.meta.resolve("./nameko_peer.py")).pathname;
    const command = (role: string) => [python, "-W", "ignore", script, role, broker] as const;
    const side = stack.use(await RpcSide.run(command("serve"), command("load")));
    peers.push({ name: NAMEKO.name, delivery: "persistent", side });
  });
  return peers;
}
