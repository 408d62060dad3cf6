import { encodeCallHeaders } from "../message/call_headers.ts";
import { describeFailure } from "../message/failure.ts";
import { failed, type Outcome } from "../message/outcome.ts";
import type { Payload } from "../service/entrypoint.ts";
import type { HostedCall, HostHook } from "./host.ts";

/**
 * Runs a call inside the hooks of a process, in their order; never rejects.
 *
 * It logs what a hook throws: the call reaches no thread that would.
 *
 * @param run Runs the call with this payload.
 */
export async function runInHostHooks(
  hooks: readonly HostHook[],
  call: HostedCall,
  run: (payload: Payload) => Promise<Outcome>,
): Promise<Outcome> {
  const [hook, ...others] = hooks;
  if (hook === undefined) return await run(call.payload);
  try {
    const outcome = await hook(call, (data) => {
      if (data === undefined) return runInHostHooks(others, call, run);
      const more = encodeCallHeaders({ stack: [], data, deadline: undefined });
      const payload = { ...call.payload, headers: { ...call.payload.headers, ...more } };
      return runInHostHooks(others, { ...call, payload }, run);
    });
    if (typeof Object(outcome).status === "string") return outcome;
    throw new TypeError(
      `Cannot end ${call.service}.${call.entry.method}: a hook has given no outcome. Return what next() gives`,
    );
  } catch (error) {
    const { service, entry: { kind, method }, log } = call;
    const failure = describeFailure(error);
    const what = `${failure.name}: ${failure.message}`;
    log.error(`${kind} ${service}.${method} failed in the hook of an extension: ${what}`, { error });
    return failed(failure);
  }
}
