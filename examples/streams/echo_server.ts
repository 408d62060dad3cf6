/** Twisted's echo server: each connection gets back what it sends. */
import { service, stream } from "@enoki/enoki";

const echo = stream({ listen: { config: "ECHO_LISTEN" } });

export default service("echo", {
  entrypoints: { received: echo.received() },
  handlers: { received: (_context, connection, data) => connection.write(data) },
});
