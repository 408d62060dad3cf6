import { strictEqual, throws } from "node:assert/strict";
import { type Generated, sql, type Transaction } from "../../extensions/sql/mod.ts";
import { rpc } from "../../extensions/rpc/mod.ts";
import { service } from "../../runtime/service/service.ts";
import type { Equal, Expect } from "./equality.ts";

interface Tables {
  readonly orders: {
    readonly id: Generated<number>;
    readonly customer: string;
    readonly total: number | null;
  };
}

Deno.test("queries know the tables, their columns, and the rows that they give", () => {
  const orders = service("orders", {
    dependencies: { db: sql<Tables>() },
    entrypoints: { find: rpc(), add: rpc() },
    handlers: {
      async find({ db }, id: number) {
        type _1 = Expect<Equal<typeof db.session, Transaction<Tables>>>;
        const order = await db.session.selectFrom("orders").select(["id", "total"]).where("id", "=", id)
          .executeTakeFirstOrThrow();
        type _2 = Expect<Equal<typeof order, { id: number; total: number | null }>>;
        return order;
      },
      async add({ db }) {
        const id = await db.unitOfWork(async (transaction) => {
          const values = { customer: "Ada", total: 7 };
          return (await transaction.insertInto("orders").values(values).returning("id")
            .executeTakeFirstOrThrow()).id;
        });
        type _ = Expect<Equal<typeof id, number>>;
        return id;
      },
    },
  });
  strictEqual(orders.name, "orders");
});

Deno.test("a wrong table, column or value does not compile", () => {
  const orders = service("orders", {
    dependencies: { db: sql<Tables>() },
    entrypoints: { wrong: rpc() },
    handlers: {
      async wrong({ db: { session, pool } }) {
        // @ts-expect-error There is no such table.
        await session.selectFrom("order").selectAll().execute();
        // @ts-expect-error There is no such column.
        await session.selectFrom("orders").select("name").execute();
        // @ts-expect-error A total is a number.
        await session.updateTable("orders").set({ total: "much" }).execute();
        // @ts-expect-error Each order has a customer.
        await pool.insertInto("orders").values({ total: 7 }).execute();
      },
    },
  });
  strictEqual(orders.name, "orders");
});

Deno.test("sql() refuses an option that it does not have", () => {
  // @ts-expect-error There is no such option.
  throws(() => sql({ uri: "postgres://db" }), /it has no option "uri", only name/);
});
