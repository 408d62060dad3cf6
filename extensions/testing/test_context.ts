import { DEFAULT_PARENT_CALLS_TRACKED, encodeCallHeaders } from "../../runtime/message/call_headers.ts";
import { CallScope } from "../../runtime/thread/call_scope.ts";
import type { Context, Service } from "../../runtime/service/service.ts";
import type { AddedBy, AnyHook } from "../../runtime/service/hook.ts";
import type { DependencyTable } from "../../runtime/service/dependency.ts";
import { createLog, type LogRecord } from "../../runtime/log/log.ts";
import type { LogFields } from "../../runtime/log/log_fields.ts";
import { type Clock, SYSTEM_CLOCK } from "../../runtime/waiting/clock.ts";
import type { FieldTable } from "../../runtime/message/transport.ts";

/** Options of {@linkcode testContext}. */
export interface TestContextOptions {
  /** Name of the called method. @default {"test"} */
  readonly method?: string;
  /** Context data that came with the call. @default {{}} */
  readonly headers?: FieldTable;
  /** Deadline of the call, in milliseconds since the epoch. @default {none} */
  readonly deadline?: number;
  /** Tells when the deadline passes, such as a `testClock()`. @default {the clock of the machine} */
  readonly clock?: Clock;
  /** Takes each log record of the handler. @default {the records are dropped} */
  readonly onLog?: (record: LogRecord) => void;
}

/**
 * Makes a context with which a test calls a handler directly: the given dependencies, what the hooks would add, and a
 * real `call`. No hook runs.
 *
 * If the handler uses a dependency that the test has not given, it gets an error that names the dependency.
 *
 * @example
 * ```ts ignore
 * import { testContext } from "@enoki/enoki/testing";
 *
 * const receipt = await orders.handlers.place(testContext(orders, { payments: fake }), order);
 * ```
 */
export function testContext<
  Name extends string,
  Dependencies extends DependencyTable,
  Around extends readonly AnyHook[] = readonly [],
>(
  service: Pick<Service<Name, Dependencies>, "name" | "dependencies"> & { readonly around?: Around },
  dependencies: Partial<Omit<Context<Dependencies>, "call"> & AddedBy<Around>> = {},
  { method = "test", headers = {}, deadline, clock = SYSTEM_CLOCK, onLog = () => {} }: TestContextOptions =
    {},
): Context<Dependencies> & AddedBy<Around> {
  const surroundings = {
    service: service.name,
    parentCallsTracked: DEFAULT_PARENT_CALLS_TRACKED,
    clock,
    logFor: (fields?: LogFields) =>
      createLog({ emit: onLog, service: service.name, ...(fields && { fields }) }),
  };
  const sent = encodeCallHeaders({ stack: [], data: headers, deadline: undefined });
  const message = { headers: sent, ...(deadline !== undefined && { deadline }) };
  const call = new CallScope({ method, kind: "test", options: {} }, message, surroundings);
  return new Proxy({ ...dependencies, call } as unknown as Context<Dependencies> & AddedBy<Around>, {
    get(context, key) {
      if (typeof key === "string" && !(key in context) && key in service.dependencies) {
        throw new TypeError(`Cannot use dependency "${key}" in a test: pass it to testContext()`);
      }
      return Reflect.get(context, key);
    },
  });
}
