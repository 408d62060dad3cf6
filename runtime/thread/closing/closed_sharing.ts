/**
 * Gives the module of a restricted service broadcast channels and locks of its own, and no caches.
 *
 * All threads of a process share these, and Deno asks for no permission to use them.
 */
import workerThreads from "node:worker_threads";
import { apply, construct, defineProperty, startsWith, textFrom } from "./untouched.ts";

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

const CHANNEL_DENIED =
  "Cannot open this channel: it would be that of all services. Use the global BroadcastChannel";

/**
 * Closes what the threads of a process share.
 *
 * @param prefix Stands before the names of all channels and locks of the module.
 */
export function closeSharing(prefix: string): void {
  const scope = globalThis as unknown as SharedScope;
  delete scope.caches;
  if (scope.navigator.locks !== undefined) scopeLocks(scope.navigator.locks, prefix);
  if (scope.BroadcastChannel === undefined) return;
  scope.BroadcastChannel = scopeChannels(scope.BroadcastChannel, prefix);
  Object.assign(workerThreads, { BroadcastChannel: scope.BroadcastChannel });
}

/**
 * Puts the prefix before the name of each channel.
 *
 * Deno keeps the name of a channel under a symbol, which the service can find. So the name becomes fixed, and
 * no object but a channel made here can send. A module that imports the class by its name has the original
 * class, so that class works only from here.
 */
function scopeChannels(Original: typeof BroadcastChannel, prefix: string): typeof BroadcastChannel {
  const probe = new Original("");
  const key = Object.getOwnPropertySymbols(probe).find(({ description }) => description === "[[name]]");
  probe.close();
  const { prototype } = Original;
  const { postMessage } = prototype;
  const names = new WeakMap<object, string>();
  const nameOf = names.get.bind(names);
  const keep = names.set.bind(names);
  let opens = false;
  Object.setPrototypeOf(Original, function () {
    if (!opens) throw new Deno.errors.NotCapable(CHANNEL_DENIED);
    opens = false;
    return construct(EventTarget, [], new.target);
  });
  Object.freeze(Original);
  const Scoped = new Proxy(Original, {
    construct(target, args, newTarget) {
      const name = `${args[0]}`;
      opens = true;
      const channel: object = construct(target, [prefix + name], newTarget);
      if (key !== undefined) {
        defineProperty(channel, key, { value: prefix + name, writable: false, configurable: false });
      }
      keep(channel, name);
      return channel;
    },
  });
  Object.defineProperties(prototype, {
    constructor: { value: Scoped },
    name: {
      get(this: object) {
        return nameOf(this);
      },
    },
    postMessage: {
      value(this: object, message: unknown) {
        if (nameOf(this) === undefined) throw new TypeError("Cannot post a message: this is no channel");
        apply(postMessage, this, [message]);
      },
    },
  });
  return Scoped;
}

function scopeLocks(locks: Locks, prefix: string): void {
  const prototype: Locks = Object.getPrototypeOf(locks);
  const { request, query } = prototype;
  const own = (infos: readonly LockInfo[]) => {
    const found: LockInfo[] = [];
    for (let index = 0; index < infos.length; index++) {
      const info = infos[index]!;
      if (!startsWith(info.name, prefix)) continue;
      found[found.length] = { ...info, name: textFrom(info.name, prefix.length) };
    }
    return found;
  };
  prototype.request = (name, ...rest) => {
    const args: unknown[] = [`${prefix}${name}`];
    for (let index = 0; index < rest.length; index++) args[index + 1] = rest[index];
    return apply(request, locks, args) as Promise<unknown>;
  };
  prototype.query = async () => {
    const { held, pending } = await (apply(query, locks, []) as ReturnType<typeof query>);
    return { held: own(held), pending: own(pending) };
  };
}
