/** What the benchmark of streams talks to. */
import { service, stream } from "../../mod.ts";

const echo = stream({ listen: "tcp://127.0.0.1:0", framing: "lines", maxConnections: 20_000 });

export default service("bench_streams", {
  entrypoints: { received: echo.received() },
  handlers: { received: (_context, connection, line) => connection.write(line) },
});
