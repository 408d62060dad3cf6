import {
  client,
  consume,
  cron,
  dispatcher,
  event,
  http,
  publisher,
  queue,
  rpc,
  service,
  websocket,
  websocketHub,
} from "@enoki/enoki";

export interface Order {
  readonly item: string;
  readonly amount: number;
}

export class ItemOutOfStock extends Error {}

const module = import.meta.url; // so that real threads can load these services
const letters = queue("letters");

export const stock = service("stock", {
  module,
  entrypoints: { price: rpc({ expected: ["ItemOutOfStock"] }) },
  handlers: {
    price(_context, item: string) {
      if (item === "widget") throw new ItemOutOfStock(item);
      return 10;
    },
  },
});

export const shop = service("shop", {
  module,
  dependencies: {
    stock: client<typeof stock>("stock"),
    emit: dispatcher<{ sold: Order }>(),
    print: publisher<string>({ routingKey: letters.name }),
  },
  entrypoints: { buy: rpc(), page: http("GET", "/items/<item>"), close: cron("0 18 * * *") },
  handlers: {
    async buy({ stock, emit, print }, order: Order) {
      const price = await stock.price(order.item) * order.amount;
      await emit("sold", order);
      await print(`Invoice: ${price}`);
      return price;
    },
    page: async ({ stock }, _request, { item }) => `${item}: ${await stock.price(item)}`,
    close: ({ print }) => print("Closed for today"),
  },
});

export const back = service("back", {
  module,
  dependencies: { hub: websocketHub<{ sold: Order }>() },
  entrypoints: {
    tell: event<Order>("shop", "sold"),
    post: consume<string>(letters),
    watch: websocket(),
  },
  handlers: {
    tell: ({ hub }, order) => hub.broadcast("sales", "sold", order),
    post: ({ call }, letter) => call.log.info(letter),
    watch: ({ hub }, socketId) => hub.subscribe(socketId, "sales"),
  },
});
