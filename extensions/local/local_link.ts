import type { Link } from "../memory/link.ts";
import { BrokerError } from "../../runtime/message/errors.ts";
import { MemoryBroker } from "../memory/broker.ts";
import { MemoryLink } from "../memory/memory_link.ts";
import { abortable } from "../../runtime/waiting/abort.ts";
import { claim, release } from "./claim.ts";
import { ClientLink } from "./client.ts";
import { BrokerProcess } from "./broker_process.ts";
import { prepareDirectory } from "./socket_path.ts";

/** We give up after this many hosts have left without a greeting to us. */
const ATTEMPTS = 10;
/** A host must greet us within this time, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Connects to the host of a socket, or hosts a new broker there.
 *
 * @throws {BrokerError} If it can do neither.
 */
export async function openLocalLink(
  path: string,
  onLost: (reason: string) => void,
  signal?: AbortSignal,
): Promise<Link> {
  try {
    await prepareDirectory(path);
    for (let attempt = 1;; attempt++) {
      const claimed = await claim(path, signal);
      if (claimed.role === "host") return new HostLink(path, claimed.listener);
      const link = new ClientLink(claimed.stream, onLost);
      if (await greeted(link, signal)) return link;
      if (attempt === ATTEMPTS) {
        throw new BrokerError(`Cannot reach broker local://${path}: its hosts leave before they answer`);
      }
    }
  } catch (error) {
    if (signal?.aborted || error instanceof BrokerError) throw error;
    const state = error instanceof Error ? error.message : String(error);
    throw new BrokerError(`Cannot reach broker local://${path}: ${state}`, { cause: error });
  }
}

/** Says whether the host greets, and closes the link if it does not. */
async function greeted(link: ClientLink, signal: AbortSignal | undefined): Promise<boolean> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(new Error("its host does not answer")), PATIENCE);
  let welcome = false;
  try {
    const either = signal === undefined ? patience.signal : AbortSignal.any([signal, patience.signal]);
    welcome = await abortable(link.welcomed, either);
  } finally {
    clearTimeout(timer);
    if (!welcome) await link.close();
  }
  return welcome;
}

/** The host uses this link itself, so its messages do not go through the socket. */
class HostLink extends MemoryLink {
  readonly #path: string;
  readonly #listener: Deno.Listener;
  readonly #host: BrokerProcess;

  constructor(path: string, listener: Deno.Listener) {
    const broker = new MemoryBroker();
    super(broker);
    this.#path = path;
    this.#listener = listener;
    this.#host = new BrokerProcess(listener, broker);
  }

  override async close(): Promise<void> {
    await super.close();
    await release(this.#path, this.#listener);
    await this.#host.close();
  }
}
