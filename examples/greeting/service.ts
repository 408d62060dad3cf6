import { rpc, service } from "@enoki/enoki";

export default service("greeting_service", {
  entrypoints: {
    hello: rpc(),
  },
  handlers: {
    hello: (_context, name: string) => `Hello, ${name}!`,
  },
});
