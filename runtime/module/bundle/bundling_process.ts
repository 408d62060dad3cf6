/**
 * Runs in the process that bundles: reads a {@linkcode BundleRequest} and writes a {@linkcode BundleAnswer},
 * as JSON.
 *
 * A request comes through the standard input and not as an argument. It may have headers with secrets for the
 * hosts of modules, and every user of the machine can see the arguments of a process.
 */
import { ServiceLoadError } from "../../message/errors.ts";
import type { BundleAnswer } from "./bundle.ts";
import { bundleModule, type BundleRequest } from "./bundler.ts";

/** Answers one request and returns the exit status. */
export async function bundleCommand(): Promise<number> {
  const request: BundleRequest = await new Response(Deno.stdin.readable).json();
  const answer = JSON.stringify(await answerTo(request));
  await new Blob([answer]).stream().pipeTo(Deno.stdout.writable);
  return 0;
}

async function answerTo(request: BundleRequest): Promise<BundleAnswer> {
  try {
    return await bundleModule(request);
  } catch (error) {
    if (error instanceof ServiceLoadError) return { failure: error.message };
    throw error;
  }
}

if (import.meta.main) Deno.exit(await bundleCommand());
