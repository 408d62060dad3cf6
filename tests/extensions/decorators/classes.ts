/** A module of class services, which tests also serve by URL and in a binary. */
import { type Call, type Client, client, type Hook } from "@enoki/enoki";
import { event, fromContext, inject, rpc, type ServiceOf, timer } from "@enoki/enoki/decorators";

class EmptyOrderError extends Error {}

/** Gives every order a name for its customer. */
const greeting: Hook<{ customer: string }> = (_call, next) => next({ customer: "Ada" });

export class Stock {
  static readonly name = "stock";

  #taken = 0;

  @rpc
  take(item: string, amount = 1): string {
    this.#taken += amount;
    return `${this.#taken} × ${item}`;
  }
}

class Shop {
  @inject(client<ServiceOf<typeof Stock>>("stock"))
  readonly stock!: Client<ServiceOf<typeof Stock>>;

  @rpc
  where(): string {
    return "here";
  }

  @rpc
  closes(): string {
    return "at six";
  }
}

export default class Orders extends Shop {
  static override readonly name = "orders";
  static readonly around = [greeting];

  @fromContext
  readonly call!: Call;

  @fromContext
  readonly customer!: string;

  readonly steps: string[] = [];

  @rpc({ expected: ["EmptyOrderError"] })
  async place(item: string, note?: string): Promise<readonly (string | null)[]> {
    if (item === "") throw new EmptyOrderError("An order names an item");
    this.#step(item);
    const taken = await this.stock.take(item);
    this.#step(taken);
    return [...this.steps, this.customer, note ?? null, this.call.method];
  }

  override where(): string {
    return "nobody calls this";
  }

  @timer({ interval: 3600 })
  @event<string>("stock", "empty")
  check(_item?: string): void {}

  #step(step: string): void {
    this.steps.push(step);
  }
}
