/** What the main thread does for a dependency with an outbox or an inbox: its tables, the relay, and forgetting. */
import { ConfigurationError } from "../../../runtime/message/errors.ts";
import type { DependencySetupHost } from "../../../runtime/hosting/host.ts";
import { parseDatabaseUri } from "../driver/database_uri.ts";
import { openDriver } from "../driver/open_driver.ts";
import { InboxPurge } from "../inbox/inbox_purge.ts";
import type { Effects } from "./effects_options.ts";
import { ensureTables } from "./own_tables.ts";
import { Relay } from "./relay.ts";

/** The outbox and the inbox of a dependency. Disposing them ends what they do. */
export interface EffectsHalf extends AsyncDisposable {
  /** Says that there is something in the outbox. */
  wake(): void;
}

/**
 * Starts what a dependency asks for.
 *
 * @throws {ConfigurationError} If the database cannot have an outbox or an inbox.
 * @throws {DatabaseUnavailableError} If the database cannot be reached.
 */
export async function startEffects(
  { outbox, inbox }: Effects,
  uri: string,
  host: Pick<DependencySetupHost, "service" | "messenger" | "log" | "metrics">,
): Promise<EffectsHalf> {
  const { service, log } = host;
  const driver = openDriver(uri);
  if (driver.isPrivate) {
    throw new ConfigurationError(
      `Cannot keep an outbox or an inbox in ${driver.address}: each connection has a database of its own there. ` +
        "Name a file, such as sqlite:///orders.db",
    );
  }
  const { database } = parseDatabaseUri(uri);
  await ensureTables(driver, [...(outbox ? ["outbox" as const] : []), ...(inbox ? ["inbox" as const] : [])]);
  const relay = outbox && new Relay({ ...host, ...outbox, driver, database });
  const purge = inbox && new InboxPurge({ driver, service, log, interval: inbox.purgeInterval });
  return {
    wake: () => relay?.wake(),
    async [Symbol.asyncDispose]() {
      await Promise.all([relay?.[Symbol.asyncDispose](), purge?.[Symbol.asyncDispose]()]);
    },
  };
}
