/** The main thread's half of `sql()`: checks the configuration, and says how many connections a thread may have. */
import type { DependencyHalf, DependencySetupHost } from "../../runtime/hosting/host.ts";
import type { ManifestDependency } from "../../runtime/service/manifest.ts";
import { Section } from "../../runtime/config/section.ts";
import { forgetDesk, permitDesk } from "./limit/permit_desk.ts";
import { readQuestion } from "./limit/permit_question.ts";
import type { PlainRecord } from "../../runtime/message/plain.ts";
import { effectsOf } from "./outbox/effects_options.ts";
import { WAKE } from "./outbox/relay_alarm.ts";
import { databaseOf, sqlSettings } from "./settings.ts";

export { databaseOf, sqlSettings };

/**
 * Makes the half of the dependency of one service.
 *
 * @throws {ConfigurationError} If the configuration names no database for the service.
 */
export function createSqlHalf(
  { options }: Pick<ManifestDependency, "options">,
  host: Pick<DependencySetupHost, "service" | "config">,
): DependencyHalf {
  const uri = uriFor(options, host);
  const desk = permitDesk(uri, sqlSettings(new Section(host.config)).maxConnections);
  const holders = new Set<string>();
  return {
    async answer(body, { signal } = {}) {
      const question = readQuestion(body);
      if (question === undefined) {
        throw new TypeError("Cannot answer about connections: nobody asks like that");
      }
      const [what, holder] = question;
      if (what === "join") {
        desk.join(holder);
        holders.add(holder);
        await ended(signal);
        holders.delete(holder);
        desk.leave(holder);
        return "";
      }
      switch (what) {
        case "take":
          await desk.take(holder, question[2], signal);
          return "";
        case "give":
          desk.give(holder, question[2]);
          return "";
        case "wanted":
          return String(await desk.wanted(holder, question[2], signal));
        case "keep":
          return desk.mayKeep(holder) ? "yes" : "no";
      }
    },
    [Symbol.asyncDispose]() {
      for (const holder of holders) desk.leave(holder);
      forgetDesk(uri);
      return Promise.resolve();
    },
  };
}

/**
 * Makes the half of the dependency of one service, with the outbox and the inbox that its options ask for.
 *
 * @throws {ConfigurationError} If the configuration names no database for the service, or one without a place for them.
 * @throws {DatabaseUnavailableError} If the dependency has an outbox or an inbox, and the database cannot be reached.
 */
export async function setUpSql(
  dependency: Pick<ManifestDependency, "options">,
  host: Pick<DependencySetupHost, "service" | "config" | "messenger" | "log" | "metrics">,
): Promise<DependencyHalf> {
  const half = createSqlHalf(dependency, host);
  const { options } = dependency;
  const effects = effectsOf(options);
  if (effects.outbox === undefined && effects.inbox === undefined) return half;
  const { startEffects } = await import("./outbox/effects_half.ts");
  const uri = uriFor(options, host);
  const { wake, [Symbol.asyncDispose]: end } = await startEffects(effects, uri, host);
  return {
    answer(body, asked) {
      if (body !== WAKE) return half.answer!(body, asked);
      wake();
      return "";
    },
    async [Symbol.asyncDispose]() {
      await half[Symbol.asyncDispose]?.();
      await end();
    },
  };
}

function uriFor(
  options: PlainRecord | undefined,
  { service, config }: Pick<DependencySetupHost, "service" | "config">,
): string {
  const { name } = options ?? {};
  return databaseOf(sqlSettings(new Section(config)), service, typeof name === "string" ? name : undefined);
}

/** Loads the statements that make the tables of the outbox and of the inbox, for the command line. */
export const loadTables = (): Promise<typeof import("./outbox/own_tables.ts")> =>
  import("./outbox/own_tables.ts");

/** Loads what runs migrations, for the command line. */
export const loadMigrations = (): Promise<typeof import("./migration/migrations.ts")> =>
  import("./migration/migrations.ts");

function ended(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}
