/**
 * Closes the things that services of one process share although they have no permission for them.
 *
 * Deno's permissions protect the world outside the process. Inside, all threads of a process have the same
 * broadcast channels, locks and caches, and see the arguments of the process, which may contain a broker's
 * password. So every thread loses the arguments. A restricted thread has the channels and locks of its module
 * only, and no caches. It may not open a socket or pipe of another thread by the number of its descriptor,
 * nor set V8's flags, which are those of all threads. It may use no vsock, because without its flag Deno ends
 * the whole process there. Without permission to run programs, it may not signal its own process. Deno asks
 * for no permission in these cases.
 *
 * This holds for the globals and for what the service imports. It is no wall: service code that starts a
 * Worker, or imports the classes of `node:worker_threads`, has the originals again.
 */
import process from "node:process";
import v8 from "node:v8";
import { closeImports } from "./closed_builtins.ts";
import { closeStandardDescriptors } from "./closed_descriptors.ts";
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

/** Deno's own words, so that this error is explained as Deno's errors are. */
const RUN_DENIED = "Requires run access, run again with the --allow-run flag";

const VSOCK_DENIED = "Cannot use a vsock: a service with restricted permissions has none. Use TCP";
const FLAGS_DENIED =
  "Cannot set a flag of V8: it would be that of all services. Set it for the whole process";

/** The classes behind the sockets of `node:`, each with the binding that contains it. */
const HANDLES = [["tcp_wrap", "TCP"], ["pipe_wrap", "Pipe"], ["udp_wrap", "UDP"]] as const;
type Bindings = Readonly<Record<string, { readonly prototype: { open?(descriptor: number): number } }>>;

/** libuv's number for "operation not permitted". */
const EPERM = -1;

interface LockInfo {
  readonly name: string;
}

/** Deno's locks, which the type check does not know yet. */
interface Locks {
  request(name: string, ...rest: readonly unknown[]): Promise<unknown>;
  query(): Promise<{ readonly held: readonly LockInfo[]; readonly pending: readonly LockInfo[] }>;
}

interface SharedScope {
  /** Earlier versions of Deno have neither this class nor the locks. */
  BroadcastChannel?: typeof BroadcastChannel;
  caches?: CacheStorage;
  readonly navigator: { readonly locks?: Locks };
}

/**
 * Takes from this thread everything that is not its service's business.
 *
 * @param moduleUrl URL of the service's module; threads of the same module share their channels and locks.
 * @param packages The packages of npm and JSR that the module may import.
 */
export function closeSandbox(moduleUrl: string, packages: readonly string[]): void {
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
  closeVsock();
  closeInternals();
  v8.setFlagsFromString = () => {
    throw new Deno.errors.NotCapable(FLAGS_DENIED);
  };
  closeImports(packages, {
    "node:fs": closeStandardDescriptors(),
    "node:process": ["abort", "kill"],
    "node:v8": ["setFlagsFromString"],
  });
}

/** Refuses vsocks. The options are copied, so that a getter cannot answer differently the second time. */
function closeVsock(): void {
  const { connect, listen, serve } = Deno;
  const checked = <Options>(options: Options): Options => {
    if (typeof options !== "object" || options === null) return options;
    const copy = { ...options };
    if (("transport" in copy && copy.transport === "vsock") || "cid" in copy) {
      throw new Deno.errors.NotCapable(VSOCK_DENIED);
    }
    return copy;
  };
  Object.assign(Deno, {
    connect: async (options: Deno.ConnectOptions) => await connect(checked(options)),
    listen: (options: Deno.TcpListenOptions) => listen(checked(options)),
    serve: (...args: Parameters<typeof serve>) => serve(...args.map(checked) as Parameters<typeof serve>),
  });
}

/** Takes away Deno's own operations, behind which there are no checks. */
function closeInternals(): void {
  const { internal } = Deno as unknown as { readonly internal: symbol };
  Object.defineProperty(Deno, internal, { value: Object.freeze({}), writable: false, configurable: false });
}

/** Denies all signals but 0, which does nothing and only asks whether a process exists. */
function denySignals(): void {
  const { kill } = Deno;
  const { kill: nodeKill } = process;
  const check = (signal: unknown) => {
    if (signal !== 0) throw new Deno.errors.NotCapable(RUN_DENIED);
  };
  Deno.kill = (pid, signal) => (check(signal), kill(pid, signal));
  process.kill = (pid, signal) => (check(signal), nodeKill(pid, signal));
  // Node has it, and Deno with it, for the sake of `process.kill`.
  const inner = process as unknown as { _kill?(pid: number, signal: number): number };
  const { _kill: innerKill } = inner;
  if (innerKill !== undefined) {
    inner._kill = (pid, signal) => (check(signal), innerKill.call(process, pid, signal));
  }
}

/**
 * Keeps sockets and pipes from opening a descriptor by its number.
 *
 * This includes the service's own descriptors, because they cannot be told from those of other threads.
 */
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
