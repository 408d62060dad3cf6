import type { AnyHook, HookedCall } from "../service/hook.ts";

/**
 * Runs a handler inside the hooks of its service, in their order.
 *
 * @param context Gets what the hooks add.
 * @throws What a hook or the handler throws.
 */
export async function runInHooks(
  hooks: readonly AnyHook[],
  call: HookedCall,
  context: Record<string, unknown>,
  handle: () => unknown,
): Promise<unknown> {
  const [hook, ...others] = hooks;
  if (hook === undefined) return await handle();
  let isTaken = false;
  const next = (added?: Readonly<Record<string, unknown>>) => {
    if (isTaken) {
      throw new TypeError(
        `Cannot run ${call.service}.${call.method} again: a hook has called next() twice. Call it once at most`,
      );
    }
    isTaken = true;
    if (added !== undefined && "call" in added) {
      throw new TypeError('Cannot add "call" to the context: the key is reserved. Choose another key');
    }
    Object.assign(context, added);
    const result = runInHooks(others, call, context, handle);
    // A hook that does not await the rest must not end the thread by its failure.
    result.catch(() => {});
    return result;
  };
  return await hook(call, next as Parameters<AnyHook>[1]);
}
