/** Twisted's poetry server: each connection gets the poem, and then its end. It needs `--allow-read`. */
import { config, service, stream } from "@enoki/enoki";

const poetry = stream({ listen: { config: "POETRY_LISTEN" } });

export default service("poetry", {
  dependencies: { poem: config("POEM", "poem.txt") },
  entrypoints: { connected: poetry.connected() },
  handlers: {
    async connected({ poem }, connection) {
      using file = await Deno.open(poem);
      await connection.writeAll(file.readable);
      connection.close();
    },
  },
});
