import { posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { OWN_FOLDER } from "../../../runtime/program/own_modules.ts";
import { OWN_PACKAGE } from "../../../runtime/program/own_package.ts";

/** Where a project has Enoki from. */
export interface EnokiAddress {
  /** Returns what the import map says for a door, such as `.` or `./testing`. */
  import(door: string): string;
  /** The command line, as the tasks of the project start it. */
  readonly command: string;
}

/**
 * Gives the address of Enoki for a project.
 *
 * A project takes Enoki from where this program has it. A binary has no source that an editor could read, so its
 * projects take the published package, and the binary itself runs their services.
 *
 * @param project Path of the project's folder.
 * @param from URL or path of a folder with Enoki's `mod.ts`, which wins. @default {where this program is from}
 */
export function enokiAddress(project: string, from?: string): EnokiAddress {
  if (from === undefined && Deno.build.standalone) {
    const published = `jsr:${OWN_PACKAGE.name}@${OWN_PACKAGE.version}`;
    return { import: (door) => posix.join(published, door), command: "enoki" };
  }
  const root = rootOf(project, from ?? OWN_FOLDER);
  return {
    import: (door) => root + OWN_PACKAGE.exports[door]!.slice("./".length),
    command: `deno run -A ${root}cli.ts`,
  };
}

/** Makes an address that ends with a slash, and is relative to the project if it is a folder of this machine. */
function rootOf(project: string, from: string): string {
  const url = from.endsWith("/") ? from : `${from}/`;
  if (/^(?:https?|jsr|npm):/.test(url)) return url;
  const folder = url.startsWith("file:") ? fileURLToPath(url) : url;
  const path = relative(project, folder).replaceAll(sep, "/");
  return `${path.startsWith(".") ? path : `./${path}`}/`;
}
