import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { testBrokers } from "../../../runtime/message/conformance/mod.ts";

testBrokers("memory", () => {
  const broker = new MemoryBroker();
  return Promise.resolve({
    async transport(options) {
      const transport = memory({ broker, ...options });
      await transport.connect();
      return transport;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});
