/** A service whose entrypoints write the answers of WebSockets by themselves. */
import { entrypoint, service } from "../../../mod.ts";
import type { Body, Reply } from "../../../runtime/message/reply.ts";

function forged(reply: Body | Reply): ReturnType<typeof entrypoint<"websocket", never[], unknown>> {
  return entrypoint({
    kind: "websocket",
    options: { path: "/ws" },
    prepare: () => ({ decode: () => [], encode: () => reply }),
  });
}

export default service("forging", {
  entrypoints: {
    honest: forged('"honest"'),
    noFailure: forged({ head: { failure: null }, body: undefined }),
    noText: forged({ head: { failure: { name: 1, message: { a: 1 }, code: [] } }, body: undefined }),
    state: forged({ head: { state: 7 }, body: '"state"' }),
    bytes: forged(new Uint8Array(9)),
    nothing: forged(undefined),
  },
  handlers: { honest() {}, noFailure() {}, noText() {}, state() {}, bytes() {}, nothing() {} },
});
