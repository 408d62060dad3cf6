/** Emits an event whenever it is asked to, as in Nameko's tutorial. */
import { dispatcher, rpc, service } from "@enoki/enoki";

export default service("emitter_service", {
  dependencies: { emit: dispatcher<{ some_event: string }>() },
  entrypoints: { emit_event: rpc() },
  handlers: {
    async emit_event({ emit }, payload: string) {
      await emit("some_event", payload);
    },
  },
});
