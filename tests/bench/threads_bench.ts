// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import type { Figure } from "./figures.ts";
import type { ThreadCost } from "./threads_peer.ts";

/** What a thread of each kind costs: time until it serves, and resident memory. */
export async function benchThreads(): Promise<readonly Figure[]> {
  console.log(
    "\nThreads: milliseconds until it serves (first, then the median of the next), MB resident each, beside a " +
      "node thread that loads nothing",
  );
  console.log("kind         first      next    MB each   to bare");
  let bare: ThreadCost | undefined;
  const figures: Figure[] = [];
  for (const kind of ["bare", "warden", "node", "web"]) {
    const cost = await costOf(kind);
    bare ??= cost;
    const { first, next, bytes } = cost;
    if (cost !== bare) {
      figures.push(
        {
          name: `${kind}, until it serves`,
          unit: "ms",
          enoki: next,
          bare: bare.next,
          ratio: next / bare.next,
        },
        {
          name: `${kind}, resident`,
          unit: "MB",
          enoki: bytes / 1e6,
          bare: bare.bytes / 1e6,
          ratio: bytes / bare.bytes,
        },
      );
    }
    console.log(
      `${kind.padEnd(8)} ${first.toFixed(0).padStart(9)} ${next.toFixed(0).padStart(9)} ${
        (bytes / 1e6).toFixed(1).padStart(10)
      } ${(bytes / bare.bytes).toFixed(2).padStart(9)}`,
    );
  }
  console.log(
    "Most of it is an isolate of V8 with its heap and its event loop, which the node thread that loads nothing has, too; " +
      "the rest is Enoki's code and the service's, which each thread loads for itself. warden and node are node " +
      "threads; the first warden thread also waits for the web Worker that holds their permissions, once for all.",
  );
  return figures;
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
