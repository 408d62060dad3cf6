/**
 * This folder finds out which permissions a service needs, from what it asks for while it has all of them.
 *
 * This file reads the audit that Deno has written. Threads and main thread share it, so the stack of a line tells which
 * of them asked: stacks of the main thread have one frame, because it has set `Error.stackTraceLimit` to 0.
 */
import { AUDIT_MARK } from "../../../runtime/channel/audit_marks.ts";
import type { DenoPermissionName } from "../../../runtime/permissions/permissions.ts";
import { OWN_FOLDER } from "../../../runtime/program/own_modules.ts";

/** Something that the code of a service has asked for. */
export interface Use {
  readonly permission: DenoPermissionName | "workers";
  /** What the permission was asked for, such as a path; undefined for all that there is. */
  readonly item: string | undefined;
  /** Whether `process.env` was read or written, which refuses nothing to a restricted service. */
  readonly byProcess: boolean;
}

/** What an audit has to tell. */
export interface Audit {
  /** Whether Deno has written it, with stacks. */
  readonly isUsable: boolean;
  /** Names of the services that ran. */
  readonly services: readonly string[];
  /** Each use once. */
  readonly uses: readonly Use[];
}

/** A line of Deno's audit. */
interface AuditLine {
  readonly permission: string;
  readonly value: string | null;
  readonly stack?: readonly string[];
}

/** Marks of the main thread. */
export const MAIN_MARKS = { begin: "begin", service: "service" } as const;

/** Reads an audit. */
export async function readAudit(lines: AsyncIterable<string>): Promise<Audit> {
  let isUsable = false;
  let services: string[] = [];
  let uses = new Map<string, Use>();
  for await (const text of lines) {
    const line = lineOf(text);
    if (line === undefined) continue;
    const [kind, item] = markOf(line) ?? [];
    if (kind === MAIN_MARKS.begin) {
      // What was asked before, and by a process that has started over, was for the command line itself.
      [isUsable, services, uses] = [line.stack?.length === 1, [], new Map()];
    } else if (kind === MAIN_MARKS.service) services.push(item!);
    const use = useOf(line, kind, item);
    if (use !== undefined) uses.set(JSON.stringify(use), use);
  }
  return { isUsable, services, uses: [...uses.values()] };
}

/** The last line may be cut off. */
function lineOf(text: string): AuditLine | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function markOf({ permission, value }: AuditLine): readonly [kind: string, item: string] | undefined {
  if (permission !== "env" || value === null || !value.startsWith(AUDIT_MARK)) return undefined;
  const [kind = "", item = ""] = value.slice(AUDIT_MARK.length).split(":");
  return [kind, decodeURIComponent(item)];
}

function useOf(
  { permission, value, stack = [] }: AuditLine,
  kind?: string,
  marked?: string,
): Use | undefined {
  if (kind !== undefined) {
    if (kind === "run") return { permission: "run", item: marked || undefined, byProcess: false };
    return kind === "workers" ? { permission: "workers", item: undefined, byProcess: false } : undefined;
  }
  if (isOfMain(permission, stack) || isOfRuntime(stack)) return undefined;
  const byProcess = permission === "env" && stack.some((frame) => frame.includes(PROCESS));
  // Who lists the variables reads them all, whether the values count or not.
  if (byProcess && stack.some((frame) => LISTING.test(frame))) return undefined;
  return { permission: permission as DenoPermissionName, item: value ?? undefined, byProcess };
}

/** The file of Deno that has `process.env`. */
const PROCESS = "(ext:deno_node/_process/process.ts:";

const LISTING = /^Object\.(?:ownKeys|getOwnPropertyDescriptor) \(ext:deno_node\/_process\/process\.ts:/;

/** A question about variables or the system, whose stack is still there when something is asked without a stack. */
const STALE = /\(ext:deno_os\//;

function isOfMain(permission: string, stack: readonly string[]): boolean {
  if (stack.length > 1) return false;
  // Main asks for files with a stack of its own, but when it imports a module, which the caller sorts out.
  const isStale = permission !== "env" && permission !== "sys" && permission !== "net" &&
    STALE.test(stack[0] ?? "");
  return !isStale;
}

const RUNTIME = `${OWN_FOLDER}runtime/`;

/** Files whose frames stand between the one who asks and Deno. */
const BETWEEN = [`${RUNTIME}channel/audit_marks.ts`, `${RUNTIME}thread/closing/`];

/** Says whether the runtime itself asks in a thread, which it does in restricted threads, too. */
function isOfRuntime(stack: readonly string[]): boolean {
  const nearest = stack.find((frame) =>
    !/^[^(]*\(?(?:ext|node):|<anonymous>\)?$/.test(frame) && !BETWEEN.some((file) => frame.includes(file))
  );
  return nearest !== undefined && nearest.includes(RUNTIME);
}
