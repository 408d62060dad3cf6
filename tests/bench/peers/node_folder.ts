import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";

/** Modules that run on Node, whose folders they keep: their imports of each other are relative. */
const MODULES = ["load.ts", "peers/fastify_peer.ts", "peers/moleculer_peer.ts"];

/**
 * A temporary folder with packages from npm, and with the peers that run on Node.
 *
 * Nothing of it stands in the lock of the project. Disposing it deletes it.
 */
export class NodeFolder implements AsyncDisposable {
  /** Such as `Node 20.1.0`. */
  readonly node: string;
  readonly #path: string;

  constructor(node: string, path: string) {
    this.node = node;
    this.#path = path;
  }

  /**
   * Installs packages.
   *
   * @throws {Error} With the reason, if there is no Node or npm cannot install them.
   */
  static async install(...packages: readonly string[]): Promise<NodeFolder> {
    const version = await output("node", ["--version"]);
    const path = await Deno.makeTempDir({ prefix: "enoki-bench-" });
    const folder = new NodeFolder(`Node ${version.slice(1)}`, path);
    try {
      await output(
        "npm",
        [
          "install",
          "--prefix",
          path,
          "--prefer-offline",
          "--ignore-scripts",
          "--no-audit",
          "--no-fund",
          ...packages,
        ],
      );
      await Deno.mkdir(join(path, "peers"));
      for (const module of MODULES) {
        const text = await Deno.readTextFile(new URL(`../${module}`, import.meta.url));
        // Node may be too old to take types away itself.
        const script = stripTypeScriptTypes(text).replaceAll(/(from "\.[\w./]+)\.ts"/g, '$1.mjs"');
        await Deno.writeTextFile(folder.script(module), script);
      }
    } catch (error) {
      await folder[Symbol.asyncDispose]();
      throw error;
    }
    return folder;
  }

  /** The path of the script that Node runs for a module of the benchmark. */
  script(module: string): string {
    return join(this.#path, module.replace(/\.ts$/, ".mjs"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#path, { recursive: true });
  }
}

async function output(program: string, args: readonly string[]): Promise<string> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
    if (!success) {
      throw new Error(`${program} failed: ${new TextDecoder().decode(stderr).trim().split("\n")[0]}`);
    }
    return new TextDecoder().decode(stdout).trim();
  } catch (error) {
    throw error instanceof Deno.errors.NotFound ? new Error(`there is no ${program} on the PATH`) : error;
  }
}
