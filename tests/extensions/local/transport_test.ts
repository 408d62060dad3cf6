import { local } from "../../../extensions/local/mod.ts";
import { testBrokers } from "../../../runtime/message/conformance/mod.ts";

testBrokers("local", async () => {
  const directory = await Deno.makeTempDir({ prefix: "enoki-" });
  const address = `local://${directory}/broker.sock`;
  const host = local({ address });
  await host.connect();
  return {
    async transport(options) {
      const transport = local({ address, ...options });
      await transport.connect();
      return transport;
    },
    sever: () => host.close(),
    async [Symbol.asyncDispose]() {
      await host.close();
      await Deno.remove(directory, { recursive: true });
    },
  };
}, { recovery: true });
