import { ConfigurationError } from "../../../runtime/message/errors.ts";
import { formatListenAddress, type ListenAddress } from "./listen_address.ts";

/** The place of a process among those that listen on the same ports. */
export interface PortShare {
  /** The number of the process, from 0. */
  readonly index: number;
  /** Whether no other of the processes listens yet, so that whoever has a port is a stranger. */
  readonly isFirst: boolean;
  /** Aborts when another process takes over, and clients are to leave the connections that they keep open. */
  readonly leaving: AbortSignal;
}

/** Options of Deno with which a process listens. */
export interface SharedPortOptions {
  readonly reusePort?: true;
}

/**
 * Says how a process listens at an address that it may share with others.
 *
 * Linux lets a second program of the same user in at a shared port, whatever program that is. So the first process asks
 * for the port without sharing it before it does: that fails if anybody has it. Whoever comes afterwards comes as
 * if the port were shared already.
 *
 * @param share The place of the process. @default {the port is its own}
 * @throws {ConfigurationError} If the processes cannot share the address.
 * @throws {Deno.errors.AddrInUse} If another program has the port.
 */
export function sharedPortOptions(address: ListenAddress, share: PortShare | undefined): SharedPortOptions {
  if (share === undefined) return {};
  const refuse = (state: string) =>
    new ConfigurationError(
      `Cannot share ${
        formatListenAddress(address)
      } among processes: ${state}. Name a port, or run one process`,
    );
  if ("path" in address) throw refuse("the file of a socket belongs to one process");
  if (address.port === 0) throw refuse("each process would get a port of its own");
  const { hostname, port } = address;
  if (share.isFirst) Deno.listen({ hostname, port }).close();
  return { reusePort: true };
}
