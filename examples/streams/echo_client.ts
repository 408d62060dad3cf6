// deno-lint-ignore-file no-console -- the example prints what happens
/** Twisted's echo client: `deno run --allow-net echo_client.ts tcp://localhost:8000`. */
import { ConnectionFailedError, connectStream } from "@enoki/enoki/stream";

try {
  const connection = await connectStream(Deno.args[0] ?? "tcp://localhost:8000", {
    connected: (connection) => connection.write("hello, world!"),
    received(connection, data) {
      console.log("Server said:", new TextDecoder().decode(data));
      connection.close();
    },
    lost: () => console.log("connection lost"),
  });
  await connection.ended;
} catch (error) {
  if (!(error instanceof ConnectionFailedError)) throw error;
  console.log("Connection failed - goodbye!");
}
