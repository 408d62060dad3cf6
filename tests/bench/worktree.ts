import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The names of the benchmark's services begin with this. */
const SERVICE = "bench_echo";

/** Another revision, checked out in a temporary folder. Disposing it deletes it. */
export class Worktree implements AsyncDisposable {
  /** The folder of its benchmark. */
  readonly bench: URL;
  /** The short name of its commit. */
  readonly commit: string;
  readonly #path: string;

  constructor(path: string, commit: string) {
    this.bench = new URL(`file://${path}/tests/bench/`);
    this.commit = commit;
    this.#path = path;
  }

  /**
   * Checks a revision out.
   *
   * Its services get other names than ours: both trees use one broker, and instances of one name would share calls.
   *
   * @throws {Error} If git does not know the revision.
   */
  static async checkOut(revision: string): Promise<Worktree> {
    const commit = await git("rev-parse", "--short", "--verify", "--end-of-options", `${revision}^{commit}`);
    const path = await Deno.makeTempDir({ prefix: "enoki-bench-" });
    const tree = new Worktree(path, commit);
    await git("worktree", "add", "--quiet", "--detach", path, commit);
    for await (const { name } of Deno.readDir(tree.bench)) {
      if (name.endsWith(".ts")) await rename(new URL(name, tree.bench));
    }
    return tree;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await git("worktree", "remove", "--force", this.#path);
  }
}

async function rename(module: URL): Promise<void> {
  const text = await Deno.readTextFile(module);
  if (text.includes(SERVICE)) await Deno.writeTextFile(module, text.replaceAll(SERVICE, `${SERVICE}_base`));
}

async function git(...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("git", { args: [...args], cwd: ROOT }).output();
  if (!success) {
    throw new Error(`Cannot compare with a revision: git says "${new TextDecoder().decode(stderr).trim()}"`);
  }
  return new TextDecoder().decode(stdout).trim();
}
