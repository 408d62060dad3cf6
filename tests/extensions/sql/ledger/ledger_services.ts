/** A shop that writes orders and their events, and a stock that writes one line for each event. */
import { dispatcher, event, rpc, service } from "../../../../mod.ts";
import { sql } from "../../../../extensions/sql/mod.ts";

interface Tables {
  readonly batches: { readonly id: number };
  readonly effects: { readonly id: number };
}

/** Events in a batch. */
export const BATCH = 20;

export const shop = service("enoki_test_ledger_shop", {
  dependencies: { db: sql<Tables>({ outbox: true }), emit: dispatcher<{ placed: { id: number } }>() },
  entrypoints: { place: rpc() },
  handlers: {
    /** Places the orders of a batch. Whoever does not know whether it has succeeded may call it again. */
    async place({ db, emit }, id: number) {
      const added = await db.session.insertInto("batches").values({ id })
        .onConflict((conflict) => conflict.doNothing()).executeTakeFirst();
      if (added.numInsertedOrUpdatedRows === 0n) return;
      await Promise.all(Array.from({ length: BATCH }, (_, n) => emit("placed", { id: id * BATCH + n })));
    },
  },
});

export const stock = service("enoki_test_ledger_stock", {
  dependencies: { db: sql<Tables>({ inbox: true }) },
  entrypoints: {
    placed: event<{ id: number }>("enoki_test_ledger_shop", "placed", {
      once: true,
      retry: { max: 1_000, backoff: 200 },
    }),
    die: rpc(),
  },
  handlers: {
    async placed({ db }, { id }) {
      await db.session.insertInto("effects").values({ id }).execute();
    },
    /** Takes its thread along, with all calls in it. */
    die: () => Deno.exit(1),
  },
});
