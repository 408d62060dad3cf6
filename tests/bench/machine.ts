import { cpus } from "node:os";
import process from "node:process";

/** Where and when something was measured. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly deno: string;
  /** The day, as in 2024-05-31. */
  readonly date: string;
}

/** Describes this machine today. */
export function thisMachine(): Machine {
  const all = cpus();
  return {
    cores: all.length,
    cpu: all[0]?.model.trim() || process.arch,
    deno: Deno.version.deno,
    date: new Date().toISOString().slice(0, 10),
  };
}
