import { connect } from "node:net";

/** Milliseconds that the system has for its answer. */
const LIMIT = 1_000;

/** Says whether the system refuses connections to a port because nothing listens there. It loads no library for that. */
export async function isRefused(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port, timeout: LIMIT });
  try {
    return await new Promise((resolve) => {
      socket.once("connect", () => resolve(false));
      socket.once("timeout", () => resolve(false));
      socket.on("error", ({ code }: Error & { readonly code?: string }) => resolve(code === "ECONNREFUSED"));
    });
  } finally {
    socket.destroy();
  }
}
