/**
 * Says in Deno's audit of permissions what the audit itself leaves out.
 *
 * Deno writes each use of a permission into the file that the variable `DENO_AUDIT_PERMISSIONS` names, with the stack of
 * the code that asks. One file takes the uses of all threads. The audit leaves out programs and Workers, and where a
 * socket of a `node:` module asks, its stack is that of whatever has asked before, in any thread. A mark is a question
 * for an environment variable that nobody sets: its line stands in the audit, with the stack of this thread.
 */
import process from "node:process";

/** How the name of the variable begins. */
export const AUDIT_MARK = "enoki audit:";

/** Environment variable of a process whose audit Enoki reads. */
export const AUDITED = "ENOKI_RECORDS_PERMISSIONS";

const { get } = Deno.env;

/** Says whether Enoki reads the audit of this process. Only a thread with all permissions may ask. */
export function isAudited(): boolean {
  return get(AUDITED) !== undefined;
}

/** Writes a mark into the audit, such as `run` with the name of a program. */
export function markInAudit(kind: string, item = ""): void {
  get(`${AUDIT_MARK}${kind}:${encodeURIComponent(item)}`);
}

/** The classes behind the sockets of `node:` modules, each with its binding. */
const HANDLES = [["tcp_wrap", "TCP"], ["pipe_wrap", "Pipe"], ["udp_wrap", "UDP"]] as const;

const METHODS = ["bind", "bind6", "connect", "connect6", "listen", "open", "send", "send6"];

type Method = (...args: readonly unknown[]) => unknown;
type Binding = Readonly<Record<string, { readonly prototype: Record<string, Method | undefined> }>>;

/** Makes the sockets of `node:` modules write a mark before each question, so that its stack is that of this thread. */
export function markSockets(): void {
  const { binding } = process as unknown as { binding?(name: string): Binding };
  if (binding === undefined) return;
  for (const [name, handle] of HANDLES) {
    const { prototype } = binding.call(process, name)[handle]!;
    for (const method of METHODS) {
      const original = prototype[method];
      if (typeof original !== "function") continue;
      prototype[method] = function (this: unknown, ...args) {
        markInAudit("socket");
        return Reflect.apply(original, this, args);
      };
    }
  }
}
