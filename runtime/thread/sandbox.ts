/**
 * Closes what services of one process share although they have no permission for it.
 *
 * Deno's permissions are about the world outside. Inside, all threads of a process have the same broadcast
 * channels, locks and caches, and see the arguments of the process, in which a broker's password may stand. So a
 * thread loses the arguments, and a restricted one has channels and locks of its module only, and no caches.
 * Nor may it signal the process that it is in, or open what another thread has by the number of its descriptor:
 * Deno asks for no permission there.
 * It holds for the globals, which is what services use. It is no wall: whoever starts a Worker, or imports the
 * classes of `node:worker_threads`, has the originals again.
 */
import process from "node:process";
import type { PermissionName } from "../permissions/permissions.ts";

const PERMISSIONS: readonly PermissionName[] = [
  "env",
  "ffi",
  "import",
  "net",
  "read",
  "run",
  "sys",
  "write",
];

/** As Deno says it, so that it is explained as what Deno says. */
const RUN_DENIED = "Requires run access, run again with the --allow-run flag";

/** The classes behind sockets of `node:`, by the binding that has them. */
const HANDLES = [["tcp_wrap", "TCP"], ["pipe_wrap", "Pipe"], ["udp_wrap", "UDP"]] as const;
type Bindings = Readonly<Record<string, { readonly prototype: { open?(descriptor: number): number } }>>;

/** libuv's number for "operation not permitted". */
const EPERM = -1;

interface LockInfo {
  readonly name: string;
}

/** What the type check does not know of yet. */
interface Locks {
  request(name: string, ...rest: readonly unknown[]): Promise<unknown>;
  query(): Promise<{ readonly held: readonly LockInfo[]; readonly pending: readonly LockInfo[] }>;
}

interface SharedScope {
  /** Absent in earlier versions of Deno, as the locks are. */
  BroadcastChannel?: typeof BroadcastChannel;
  caches?: CacheStorage;
  readonly navigator: { readonly locks?: Locks };
}

/** Takes from this thread what is none of its service's business. */
export function closeSandbox(moduleUrl: string): void {
  Object.defineProperty(Deno, "args", { value: Object.freeze([]) });
  process.argv.length = Math.min(process.argv.length, 2);
  if (PERMISSIONS.every(isGranted)) return;
  const scope = globalThis as unknown as SharedScope;
  if (scope.BroadcastChannel !== undefined) {
    scope.BroadcastChannel = channelsOf(moduleUrl, scope.BroadcastChannel);
  }
  delete scope.caches;
  if (scope.navigator.locks !== undefined) scopeLocks(scope.navigator.locks, `${moduleUrl} `);
  process.abort = () => process.exit(134);
  if (!isGranted("run")) denySignals();
  closeDescriptors();
}

/** A signal 0 does nothing, and asks whether a process is there. */
function denySignals(): void {
  const { kill } = Deno;
  const { kill: nodeKill } = process;
  const check = (signal: unknown) => {
    if (signal !== 0) throw new Deno.errors.NotCapable(RUN_DENIED);
  };
  Deno.kill = (pid, signal) => (check(signal), kill(pid, signal));
  process.kill = (pid, signal) => (check(signal), nodeKill(pid, signal));
}

/** Of sockets and pipes that are no descriptors of the service's own: those cannot be told from others. */
function closeDescriptors(): void {
  const { binding } = process as unknown as { binding?(name: string): Bindings };
  if (binding === undefined) return;
  for (const [name, handle] of HANDLES) {
    const prototype = binding(name)[handle]?.prototype;
    if (prototype?.open !== undefined) prototype.open = () => EPERM;
  }
}

function isGranted(name: PermissionName): boolean {
  return Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state === "granted";
}

function channelsOf(moduleUrl: string, Original: typeof BroadcastChannel): typeof BroadcastChannel {
  return class BroadcastChannel extends Original {
    readonly #name: string;

    constructor(name: string) {
      super(`${moduleUrl} ${name}`);
      this.#name = String(name);
    }

    override get name(): string {
      return this.#name;
    }
  };
}

function scopeLocks(locks: Locks, prefix: string): void {
  const prototype: Locks = Object.getPrototypeOf(locks);
  const { request, query } = prototype;
  const own = (infos: readonly LockInfo[]) =>
    infos.filter(({ name }) => name.startsWith(prefix)).map((info) => ({
      ...info,
      name: info.name.slice(prefix.length),
    }));
  prototype.request = (name, ...rest) => request.call(locks, `${prefix}${name}`, ...rest);
  prototype.query = async () => {
    const { held, pending } = await query.call(locks);
    return { held: own(held), pending: own(pending) };
  };
}
