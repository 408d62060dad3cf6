import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import {
  DENO_PERMISSION_NAMES,
  type PermissionGrant,
  type ServicePermissions,
} from "../../../runtime/permissions/permissions.ts";
import type { LoadNeeds } from "../../../runtime/program/own_modules.ts";
import type { Use } from "./audit.ts";

/** The machine and the module that uses were recorded on. */
export interface Surroundings {
  /** What threads have in any case. */
  readonly needs: Pick<LoadNeeds, "read" | "import">;
  readonly env: { has(name: string): boolean };
  /** Current folder. */
  readonly folder: string;
  /** Folder of temporary files. */
  readonly temporary: string;
}

/** What makes a service do again what it has done. */
export interface NeededPermissions {
  readonly permissions: Exclude<ServicePermissions, "all">;
  /** Variables that the service has read from `process.env`, and that are not set here. */
  readonly unset: readonly string[];
}

/** Number of files of one folder from which on the folder stands in their place. */
const MANY_FILES = 5;

/** Returns the least permissions for what a service has used. */
export function neededPermissions(uses: readonly Use[], around: Surroundings): NeededPermissions {
  const granted: Record<string, PermissionGrant> = {};
  for (const permission of DENO_PERMISSION_NAMES) {
    const items = uses.filter((use) => use.permission === permission && isNeeded(use, around.env))
      .map(({ item }) => item);
    const grant = grantFor(permission, items, around);
    if (grant !== false) granted[permission] = grant;
  }
  if (uses.some(({ permission }) => permission === "workers")) granted["workers"] = true;
  const unset = uses.filter(({ byProcess, item }) => byProcess && item !== undefined && !around.env.has(item))
    .map(({ item }) => item!);
  return {
    permissions: Object.keys(granted).length === 0 ? "none" : granted,
    unset: [...new Set(unset)].sort(),
  };
}

function isNeeded({ byProcess, item }: Use, env: Surroundings["env"]): boolean {
  return !byProcess || (item !== undefined && env.has(item));
}

function grantFor(
  permission: typeof DENO_PERMISSION_NAMES[number],
  items: readonly (string | undefined)[],
  around: Surroundings,
): PermissionGrant {
  if (items.length === 0) return false;
  const named = items.filter((item) => item !== undefined);
  // A list cannot hold an item with a comma, nor a library that the system looks up by its name.
  const isListable = (item: string) => !item.includes(",") && (permission !== "ffi" || isAbsolute(item));
  if (named.length < items.length || !named.every(isListable)) return true;
  const list = permission === "read" || permission === "write"
    ? paths(named, permission, around)
    : permission === "net"
    ? named.map(hostOf)
    : permission === "import"
    ? named.map((item) => hostOf(item).replace(/:443$/, "")).filter((host) =>
      !around.needs.import.includes(host)
    )
    : named;
  return list.length > 0 && [...new Set(list)].sort();
}

const PORTS: Readonly<Record<string, string>> = {
  "http:": "80",
  "https:": "443",
  "ws:": "80",
  "wss:": "443",
};

/** Turns a URL into a host with a port. Deno names other places as its flags take them. */
function hostOf(item: string): string {
  const url = /^\w+:\/\//.test(item) ? URL.parse(item) : null;
  return url === null ? item : `${url.hostname}:${url.port || PORTS[url.protocol]}`;
}

function paths(
  items: readonly string[],
  permission: "read" | "write",
  { needs, folder, temporary }: Surroundings,
): readonly string[] {
  const given = items.map((item) =>
    // Deno's name for the folder of temporary files.
    item === "<TMP>" ? temporary : resolve(folder, item.startsWith("file:") ? fileURLToPath(item) : item)
  );
  const wanted = given
    .filter((path) => permission === "write" || !needs.read.some((own) => isWithin(path, own)))
    // Another run gives another name to a temporary file.
    .map((path) => isWithin(path, temporary) && !isWithin(path, folder) ? temporary : path);
  const folders = Map.groupBy(new Set(wanted), dirname);
  const shortened = [...folders].flatMap(([parent, files]) =>
    files.length >= MANY_FILES && parent !== dirname(parent) ? [parent] : files
  );
  return shortened
    .filter((path) => !shortened.some((other) => other !== path && isWithin(path, other)))
    .map((path) => isWithin(path, folder) ? `.${sep}${relative(folder, path)}` : path);
}

/** Says whether a path is a file or folder, or is in that folder. */
function isWithin(path: string, folder: string): boolean {
  const base = folder.endsWith(sep) ? folder.slice(0, -sep.length) : folder;
  return path === base || path.startsWith(base + sep);
}
