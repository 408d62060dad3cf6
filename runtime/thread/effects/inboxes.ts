import { ConfigurationError } from "../../message/errors.ts";
import type { Call } from "../../service/call.ts";
import type { OncePolicy, Payload } from "../../service/entrypoint.ts";
import type { Entry } from "../../service/manifest.ts";
import type { BoundProvider } from "../bound_providers.ts";

/** The inbox of one entrypoint whose messages are handled once. */
export interface EntryInbox {
  /** @throws {BadRequestError} If the message has no id. */
  idOf(decoded: unknown, payload: Payload): string;
  /** Notes the id. Resolves with false if it has been noted before, so that the handler must not run. */
  note(call: Call, id: string): Promise<boolean>;
}

/**
 * Finds the inbox of each entrypoint; undefined for those that need none.
 *
 * @throws {ConfigurationError} If no dependency keeps the inbox, or if it is not said which one of several does.
 */
export function inboxesOf(
  entries: readonly Entry[],
  providers: readonly BoundProvider[],
): readonly (EntryInbox | undefined)[] {
  if (entries.every(({ spec }) => spec.once === undefined)) return [];
  const keepers = providers.filter(({ provider }) => provider.once !== undefined);
  return entries.map(({ method, spec: { once } }) => once && inboxOf(method, once, keepers));
}

function inboxOf(method: string, once: OncePolicy, keepers: readonly BoundProvider[]): EntryInbox {
  const { idOf, keepFor, inbox } = once;
  const keeper = inbox === undefined ? keepers[0] : keepers.find(({ key }) => key === inbox);
  const names = keepers.map(({ key }) => `"${key}"`).join(" and ");
  const refuse = (reason: string): never => {
    throw new ConfigurationError(`Cannot handle messages once by "${method}": ${reason}`);
  };
  if (keeper === undefined) {
    return refuse(
      inbox === undefined
        ? "no dependency of the service keeps an inbox. Add one that does, such as sql({ inbox: true })"
        : `its inbox "${inbox}" is no dependency that keeps one. ${
          keepers.length === 0 ? "Add one that does, such as sql({ inbox: true })" : `Those that do: ${names}`
        }`,
    );
  }
  if (inbox === undefined && keepers.length > 1) {
    return refuse(`${names} keep an inbox. Name one of them: once: { inbox: ${names.split(" ")[0]} }`);
  }
  const { provider } = keeper;
  return { idOf, note: (call, id) => provider.once!(call, id, keepFor) };
}
