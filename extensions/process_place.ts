import type { PortShare } from "./http/listening/shared_port.ts";

/** The place of a process among several that serve the same services. */
export interface ProcessPlace {
  /** How it shares the ports of the services. */
  readonly share: PortShare;
  /** How it has ports of its own, such as that of `HEALTH_ADDRESS`: nobody has them but who it takes over from. */
  readonly ownShare: PortShare;
}
