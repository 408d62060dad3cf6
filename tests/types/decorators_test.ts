import { deepStrictEqual } from "node:assert/strict";
import {
  consume,
  entry,
  event,
  fromContext,
  http,
  inject,
  rpc,
  type ServiceOf,
  timer,
  websocket,
} from "../../extensions/decorators.ts";
import {
  type Call,
  type Client,
  client,
  type ClientMethod,
  type Dispatcher,
  dispatcher,
  type Log,
  logger,
  queue,
  stream,
} from "../../mod.ts";
import { serviceOf } from "../../runtime/service/service.ts";
import type { Equal, Expect } from "./equality.ts";

const lines = stream({ listen: "tcp://127.0.0.1:0", framing: "lines" });

class Stock {
  static readonly name = "stock";

  @inject(dispatcher<{ empty: { readonly at: Date } }>())
  emit!: Dispatcher<{ empty: { readonly at: Date } }>;
}

class Shop {
  static readonly name = "shop";

  @inject(logger())
  log!: Log;
  // @ts-expect-error: a logger is no text
  @inject(logger())
  wrong!: string;
  @fromContext
  call!: Call;

  @rpc
  place(_item: string, _amount?: number): { readonly at: Date } {
    return { at: new Date() };
  }
  @http("GET", "/orders/<int:id>")
  show(_request: Request, { id }: { id: number }): number {
    return id;
  }
  // @ts-expect-error: the rule says that it is a number
  @http("GET", "/orders/<int:id>")
  badShow(_request: Request, _params: { id: string }): void {}
  @event<string>("stock", "empty")
  empty(_item: string): void {}
  // @ts-expect-error: the payload is text
  @event<string>("stock", "empty")
  badEmpty(_item: number): void {}
  @event<ServiceOf<typeof Stock>, "empty">("stock", "empty")
  typedEmpty(_item: { readonly at: string }): void {}
  // @ts-expect-error: the date arrives as text
  @event<ServiceOf<typeof Stock>, "empty">("stock", "empty")
  badTypedEmpty(_item: { readonly at: Date }): void {}
  @consume<number>(queue("jobs"))
  work(_job: number): void {}
  @timer({ interval: 1 })
  tick(): void {}
  // @ts-expect-error: a timer gives no arguments
  @timer({ interval: 1 })
  badTick(_at: string): void {}
  @websocket
  say(_socketId: string, _text: string): void {}
  @entry(lines.received())
  received(_connection: unknown, _line: string): void {}
}

class Depot {
  static readonly name = "depot";

  @inject(dispatcher<{ full: number }>())
  emit!: Dispatcher<{ full: number }>;
  @inject(dispatcher())
  tell!: Dispatcher<Record<string, unknown>>;

  @rpc
  count(_item: string): Promise<void> {
    return Promise.resolve();
  }
  @rpc
  note(_type: string, _payload: unknown): Promise<void> {
    return Promise.resolve();
  }
}

Deno.test("decorators let the compiler check methods and fields", () => {
  deepStrictEqual(serviceOf(Shop)!.name, "shop");
});

Deno.test("ServiceOf types the client of a class, by its name", () => {
  const shop = client<ServiceOf<typeof Shop, "place">>("shop");
  type Shown = Client<ServiceOf<typeof Shop, "place">>;
  type _1 = Expect<Equal<keyof Shown, "place">>;
  type _2 = Expect<
    Shown["place"] extends ClientMethod<[_item: string, _amount?: number], infer Result>
      ? Equal<Result, { readonly at: string }>
      : false
  >;
  type _3 = Expect<Equal<"tick" extends keyof Client<ServiceOf<typeof Shop>> ? true : false, true>>;
  type _4 = Expect<Equal<"log" extends keyof Client<ServiceOf<typeof Shop>> ? true : false, false>>;
  type _5 = Expect<Equal<keyof Client<ServiceOf<typeof Depot>>, "count" | "note">>;
  // @ts-expect-error: that is not the name of the class
  const _other = () => client<ServiceOf<typeof Shop>>("other");
  deepStrictEqual(Object.keys(shop).includes("bind"), true);
});
