/** A shop whose name a test chooses, with an outbox. */
import { dispatcher, rpc, service } from "../../../../mod.ts";
import { sql } from "../../../../extensions/sql/mod.ts";

const name = Deno.env.get("ENOKI_TEST_NAME") as "enoki_test_relayed" | undefined;

export default service(name ?? "enoki_test_relayed", {
  dependencies: { db: sql({ outbox: true }), emit: dispatcher<{ pool: { readonly id: number } }>() },
  entrypoints: { place: rpc() },
  handlers: { place: ({ emit }, id: number) => emit("pool", { id }) },
});
