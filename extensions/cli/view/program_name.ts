import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Returns what the user types to start this program: the name of a binary or of what `deno install` has made, else the
 * command of Deno.
 *
 * @param mainModule URL of the program's main module.
 * @param path The variable `PATH`.
 */
export function programName(mainModule: string, path = ""): string {
  if (Deno.build.standalone || !mainModule.startsWith("file:")) return OWN_NAME;
  if (isInstalled(mainModule, path)) return OWN_NAME;
  return `deno run -A ${relative(Deno.cwd(), fileURLToPath(mainModule))}`;
}

/** The name of binaries, and the one under which the documentation says to install the program. */
const OWN_NAME = "enoki";

/** Longest script that `deno install` writes, with room to spare. */
const LONGEST_SCRIPT = 4_096;

/** Says whether typing the program's own name starts this main module. */
function isInstalled(mainModule: string, path: string): boolean {
  const isWindows = Deno.build.os === "windows";
  const file = isWindows ? `${OWN_NAME}.cmd` : OWN_NAME;
  for (const folder of path.split(isWindows ? ";" : ":")) {
    const script = join(folder, file);
    try {
      if (Deno.statSync(script).size <= LONGEST_SCRIPT) {
        return Deno.readTextFileSync(script).includes(mainModule);
      }
      return false;
    } catch {
      // There is no such file, or nobody may read it.
    }
  }
  return false;
}
