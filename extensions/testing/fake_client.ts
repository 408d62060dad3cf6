import type { Client, ClientMethod } from "../rpc/client.ts";
import type { Contract } from "../../runtime/service/service.ts";

/** Functions that stand in for methods of a service: with their arguments, and their results as JSON has them. */
export type FakeMethods<Target> = {
  readonly [Method in keyof Client<Target>]?: Client<Target>[Method] extends
    ClientMethod<infer Args, infer Result> ? (...args: Args) => Result | Promise<Result> : never;
};

/**
 * Makes a client for a test, whose methods are plain functions.
 *
 * `with` gives the same method whatever the options, `start` begins at once, and `kwargs` gives the function the
 * positional arguments and then the object of the named ones. An error that a function throws is thrown to the handler
 * as it is.
 *
 * @throws {TypeError} The client throws it where a handler calls a method that the test has not given.
 *
 * @example
 * ```ts ignore
 * import { fakeClient, testContext } from "@enoki/enoki/testing";
 *
 * const payments = fakeClient<typeof paymentService>({ charge: (total) => ({ paid: total, at: "now" }) });
 * await orders.handlers.place(testContext(orders, { payments }), order);
 * ```
 */
export function fakeClient<Target extends Contract>(methods: FakeMethods<Target>): Client<Target> {
  return new Proxy(methods, {
    get(given, method) {
      // A promise has a method of this name, and a client is none.
      if (typeof method !== "string" || method === "then") return undefined;
      const answer = Object.hasOwn(given, method) ? given[method as keyof typeof given] : undefined;
      return fakeMethod(method, answer as Answer | undefined);
    },
  }) as unknown as Client<Target>;
}

type Answer = (...args: readonly unknown[]) => unknown;

function fakeMethod(name: string, answer: Answer | undefined): ClientMethod<readonly unknown[], unknown> {
  const call = async (...args: readonly unknown[]) => {
    if (answer !== undefined) return await answer(...args);
    throw new TypeError(
      `Cannot call "${name}" of a fake client: the test gives no such method. Pass it to fakeClient()`,
    );
  };
  const method: ClientMethod<readonly unknown[], unknown> = Object.assign(call, {
    with: () => method,
    start(...args: readonly unknown[]) {
      const result = call(...args);
      // A failed call whose result nobody asks for must not end the test.
      result.catch(() => {});
      return { result: () => result };
    },
    kwargs: (named: Readonly<Record<string, unknown>>, ...positional: readonly unknown[]) =>
      call(...positional, named),
  });
  return method;
}
