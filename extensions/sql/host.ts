/** The main thread's half of `sql()`: checks the configuration, and says how many connections a thread may have. */
import type { DependencyHalf, DependencySetupHost } from "../../runtime/hosting/host.ts";
import type { ManifestDependency } from "../../runtime/service/manifest.ts";
import { Section } from "../../runtime/config/section.ts";
import { forgetDesk, permitDesk } from "./limit/permit_desk.ts";
import { readQuestion } from "./limit/permit_question.ts";
import { databaseOf, sqlSettings } from "./settings.ts";

export { databaseOf, sqlSettings };

/**
 * Makes the half of the dependency of one service.
 *
 * @throws {ConfigurationError} If the configuration names no database for the service.
 */
export function createSqlHalf(
  { options }: Pick<ManifestDependency, "options">,
  { service, config }: Pick<DependencySetupHost, "service" | "config">,
): DependencyHalf {
  const settings = sqlSettings(new Section(config));
  const { name } = options ?? {};
  const uri = databaseOf(settings, service, typeof name === "string" ? name : undefined);
  const desk = permitDesk(uri, settings.maxConnections);
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
      if (!holders.has(holder)) throw new TypeError("Cannot answer about connections: the thread is unknown");
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

/** Loads what runs migrations, for the command line. */
export const loadMigrations = (): Promise<typeof import("./migration/migrations.ts")> =>
  import("./migration/migrations.ts");

function ended(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}
