import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Gives the revision of a file or folder in git, such as `v1.2.0-3-g1a2b3c4-dirty`.
 *
 * Undefined where there is no git, or no repository.
 */
export async function revisionOf(url: string): Promise<string | undefined> {
  if (!url.startsWith("file:")) return undefined;
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["describe", "--always", "--tags", "--dirty"],
      cwd: dirname(fileURLToPath(new URL("x", url))),
      stdin: "null",
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
