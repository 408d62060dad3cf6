import { MAIN_MARKS } from "../permissions/audit.ts";
import { markInAudit, markSockets } from "../../../runtime/channel/audit_marks.ts";
import { loadPayloads } from "../../../runtime/message/payload/payloads.ts";
import { escapeControls, escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import { encodeBigintJson } from "../../../runtime/message/payload/exact_json.ts";
import type { Running } from "../../serve.ts";
import type { Settings } from "../../settings.ts";
import type { CommandIo } from "../command_io.ts";
import { type CallTarget, parseCallArguments } from "../flags/call_arguments.ts";
import { reportFailure } from "../view/failure_report.ts";
import type { RunFlags } from "../flags/run_config.ts";
import { runCommand } from "./run.ts";

/** A call that the command makes itself. */
export interface RecordedCall {
  readonly target: CallTarget;
  readonly words: readonly string[];
}

/** Flags of `permissions`. */
export type RecordedFlags = RunFlags & {
  /** Milliseconds to serve. */
  readonly for?: number;
  readonly call?: readonly RecordedCall[];
};

/**
 * Serves modules with all permissions, in a process that Deno writes an audit of. Services have no processes of their
 * own, of which it would know nothing.
 */
export async function recordedRun(
  modules: readonly string[],
  { for: duration, call: calls = [], ...flags }: RecordedFlags,
  io: CommandIo,
): Promise<number> {
  return await runCommand(modules, { ...flags, allowAll: true, isolation: "threads" }, io, {
    onBegin() {
      // Deno has opened the file. Another Deno that this process starts would begin it anew.
      Deno.env.delete("DENO_AUDIT_PERMISSIONS");
      // By their single frame, the audit tells the stacks of the main thread.
      Error.stackTraceLimit = 0;
      markSockets();
      markInAudit(MAIN_MARKS.begin);
    },
    async onReady(serving, settings, signal) {
      for (const name of serving.containers.keys()) markInAudit(MAIN_MARKS.service, name);
      const over = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => over.resolve(), { once: true });
      if (calls.length > 0) await callEach(calls, serving, settings, signal, io);
      if (duration === undefined) {
        if (calls.length > 0) return;
        io.writeMessage("Recording what the service asks for. Use all that it offers, then press Ctrl-C\n");
        return await over.promise;
      }
      const timer = setTimeout(() => over.resolve(), duration);
      await over.promise.finally(() => clearTimeout(timer));
    },
  });
}

async function callEach(
  calls: readonly RecordedCall[],
  { transport }: Running,
  settings: Settings,
  signal: AbortSignal,
  io: CommandIo,
): Promise<void> {
  const [{ RpcCaller }, { createMethod }, { rpcSettings }] = await Promise.all([
    import("../../rpc/caller.ts"),
    import("../../rpc/client.ts"),
    import("../../rpc/settings.ts"),
  ]);
  await using caller = new RpcCaller(transport, { caller: "permissions", ...settings.of(rpcSettings) });
  const payloads = await loadPayloads(settings.runtime.payloads);
  const origin = { stack: [`permissions.call.${crypto.randomUUID()}`], headers: {}, deadline: undefined };
  const options = { timeout: settings.runtime.callTimeout, payloads };
  for (const { target: { service, method }, words } of calls) {
    if (signal.aborted) return;
    const { positional, named } = parseCallArguments(words);
    const say = (text: string) => io.writeMessage(`${escapeControls(`${service}.${method}`)}: ${text}\n`);
    try {
      const result = await createMethod(caller, service, method, origin, options)
        .with({ bigints: true, signal }).kwargs(named, ...positional);
      say(escapeControls(encodeBigintJson(result)));
    } catch (error) {
      if (signal.aborted) return;
      say(escapeControlsInLines(reportFailure(error).text));
    }
  }
}
