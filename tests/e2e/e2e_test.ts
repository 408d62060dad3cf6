/** The same laws for every way to start the program, and the laws of binaries. */
import { binaryLaws } from "./binary_laws.ts";
import { buildBinaries } from "./binaries.ts";
import { binaryProcessLaws } from "./binary_processes.ts";
import { launchers } from "./launcher.ts";
import { servingLaws } from "./serving_laws.ts";

const binaries = await buildBinaries();

for (const launcher of launchers(binaries)) servingLaws(launcher);
if (binaries !== undefined) {
  binaryLaws(binaries);
  binaryProcessLaws(binaries);
} else Deno.test.ignore("Binaries serve a shop, too", () => {});

Deno.test.afterAll(async () => await binaries?.[Symbol.asyncDispose]());
