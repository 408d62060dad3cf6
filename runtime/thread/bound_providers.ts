import { millisecondsOf } from "../waiting/duration.ts";
import { explainDenial } from "./denial.ts";
import { Diversions } from "./effects/diversions.ts";
import {
  type AskOptions,
  type DependencyHost,
  hostAddress,
  usedDependencies,
  type UsingProvider,
} from "../service/dependency.ts";
import { UnknownServiceError } from "../message/errors.ts";
import { DEFAULT_PAYLOADS, type Payloads } from "../message/payload/payloads.ts";
import type { OutgoingHook } from "../service/hook.ts";
import { type Clock, SYSTEM_CLOCK } from "../waiting/clock.ts";
import type { Service } from "../service/service.ts";

/** The values of the dependencies that another one uses, by name. */
type Used = Readonly<Record<string, unknown>>;

/** A provider in its thread. */
export interface BoundProvider {
  /** Key in the context, or `owner.name` of a dependency that another one uses. */
  readonly key: string;
  readonly provider: UsingProvider<unknown, Used>;
  /** Names and keys of the dependencies that it uses; undefined if it uses none. */
  readonly uses: readonly (readonly [name: string, key: string])[] | undefined;
  /** Whether only another dependency uses it, so that the context does not have it. */
  readonly isInner: boolean;
}

/** What all providers of a thread get. */
export interface ProviderSurroundings
  extends Omit<DependencyHost, "key" | "outgoing" | "ask" | "publish" | "divert" | "payloads" | "clock"> {
  /** How the service writes and reads what has no serializer of its own. @default {JSON} */
  readonly payloads?: Payloads;
  /** @default {the clock of the machine} */
  readonly clock?: Clock;
  /** Hooks of the runtime, inside of those of the service. @default {[]} */
  readonly outgoing?: readonly OutgoingHook[];
}

/**
 * Binds the dependencies of a service in the order in which they are set up, and sets them up.
 *
 * @param bound Gets each provider once it is set up, also if a later one fails.
 * @throws What the setup of a provider throws.
 */
export async function bindProviders(
  { name, dependencies, outgoing: own = [] }: Service,
  surroundings: ProviderSurroundings,
  bound: BoundProvider[],
): Promise<void> {
  const { outgoing: inner } = surroundings;
  const outgoing = inner === undefined ? own : [...own, ...inner];
  const diversions = new Diversions(surroundings.messenger);
  for (const { key, spec, isInner } of usedDependencies(dependencies)) {
    try {
      const host: DependencyHost = {
        payloads: DEFAULT_PAYLOADS,
        clock: SYSTEM_CLOCK,
        ...surroundings,
        key,
        outgoing,
        publish: (call, message, options) => diversions.publish(call, message, options),
        divert: (call, publish) => diversions.divert(call, publish),
        ask: asking(surroundings, key, spec.kind),
      };
      const provider = spec.bind(host) as UsingProvider<unknown, Used>;
      await provider.setup?.(host);
      const uses = spec.uses && Object.keys(spec.uses).map((used) => [used, `${key}.${used}`] as const);
      bound.push({ key, provider, uses, isInner });
    } catch (error) {
      explainDenial(error, `dependency "${key}" of ${name}`);
      throw error;
    }
  }
}

const NOTHING: Used = Object.freeze({});

/**
 * Picks the values that a provider uses.
 *
 * @param inner The values that the providers have of each other, by key. @default {none}
 */
export function usedValues(uses: BoundProvider["uses"], inner: Used = NOTHING): Used {
  return uses === undefined ? NOTHING : Object.fromEntries(uses.map(([name, key]) => [name, inner[key]]));
}

/** Makes the function by which a provider asks the half of its dependency in the main thread. */
function asking(
  { service, messenger, callTimeout }: ProviderSurroundings,
  key: string,
  kind: string | undefined,
): DependencyHost["ask"] {
  return async (
    body: string | Uint8Array<ArrayBuffer>,
    { timeout = callTimeout, signal }: AskOptions = {},
  ) => {
    try {
      const request = { service: hostAddress(service, key), method: "ask", body, headers: {} };
      // Only a service answers in another way.
      return await messenger.request(request, {
        timeout: millisecondsOf(timeout),
        ...(signal && { signal }),
      }) as string | Uint8Array;
    } catch (error) {
      if (!(error instanceof UnknownServiceError)) throw error;
      const state = kind === undefined
        ? "it has no kind, so no extension has a half of it"
        : `the half of kind "${kind}" has no answer()`;
      throw new TypeError(`Cannot ask about dependency "${key}" in the main thread: ${state}`, {
        cause: error,
      });
    }
  };
}
