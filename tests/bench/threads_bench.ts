// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import type { ThreadCost } from "./threads_peer.ts";

/** What a thread of each kind costs: time until it serves, and resident memory. */
export async function benchThreads(): Promise<void> {
  console.log(
    "\nThreads: milliseconds until it serves (first, then the median of the next), MB resident each, beside a " +
      "node thread that loads nothing",
  );
  console.log("kind         first      next    MB each   to bare");
  let bare: ThreadCost | undefined;
  for (const kind of ["bare", "warden", "node", "web"]) {
    const cost = await costOf(kind);
    bare ??= cost;
    const { first, next, bytes } = cost;
    console.log(
      `${kind.padEnd(8)} ${first.toFixed(0).padStart(9)} ${next.toFixed(0).padStart(9)} ${
        (bytes / 1e6).toFixed(1).padStart(10)
      } ${(bytes / bare.bytes).toFixed(2).padStart(9)}`,
    );
  }
}

/** Each kind has a process of its own: what another has freed would hide what it takes. */
async function costOf(kind: string): Promise<ThreadCost> {
  const script = new URL(import.meta.resolve("./threads_peer.ts")).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", "--unstable-worker-options", script, kind],
    stderr: "inherit",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}
