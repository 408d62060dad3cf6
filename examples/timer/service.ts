import { service, timer } from "@enoki/enoki";

export default service("pong_service", {
  entrypoints: {
    ping: timer({ interval: 1 }),
  },
  handlers: {
    ping() {
      // deno-lint-ignore no-console -- printing is all that it does
      console.log("pong");
    },
  },
});
