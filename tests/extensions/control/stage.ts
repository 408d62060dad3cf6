import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type ControlAnswer,
  ControlClient,
  type ControlRequest,
} from "../../../extensions/control/control_client.ts";
import {
  ControlHost,
  type ControlHostOptions,
  type ControlResponder,
} from "../../../extensions/control/host.ts";
import { configureLogging, getLog } from "../../../runtime/log/observe.ts";
import { local } from "../../../extensions/local/mod.ts";
import { type Config, run, type Running, type Transport } from "../../../extensions/run.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import { servicePath } from "../../fixtures/serve_in_memory.ts";

/** Answers `echo` with the request. */
export const ECHO: ReadonlyMap<string, ControlResponder> = new Map([["echo", {
  respond: (request) => ({ request: { ...request } as PlainRecord }),
}]]);

/** Starts a host that serves a service which no other test serves. */
export async function openHost(
  transport: Transport,
  options: Partial<ControlHostOptions> = {},
): Promise<ControlHost> {
  const host = new ControlHost({
    transport,
    responders: ECHO,
    services: () => [],
    log: getLog(),
    ...options,
  });
  await host.start();
  return host;
}

/** Asks and waits for all answers. */
export async function answersTo(
  transport: Transport,
  request: ControlRequest,
  { timeout = 60_000, ...options }: { readonly timeout?: number; readonly quiet?: number } = {},
): Promise<readonly ControlAnswer[]> {
  await using client = new ControlClient(transport);
  return await Array.fromAsync(client.ask(request, { timeout, ...options }));
}

/** Lines of the log. */
let lines: string[] = [];
configureLogging({ write: (line) => void lines.push(line) });

/** Gives the lines that the log has had since {@linkcode withServing} began. */
export function linesOfServing(): readonly string[] {
  return lines;
}

/** Runs a test with a local broker of its own, at which modules are served. */
export async function withServing(
  modules: readonly string[],
  test: (transport: Transport, broker: string, running: Running) => Promise<void>,
  { config = {}, before }: {
    readonly config?: Config;
    readonly before?: (transport: Transport) => Promise<void>;
  } = {},
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "enoki-control-" });
  try {
    const broker = `local://${folder}/broker.sock`;
    await using transport = local({ address: broker });
    await transport.connect();
    await before?.(transport);
    lines = [];
    const running = await run(modules.map(servicePath), {
      broker,
      config,
      threads: { permissions: "all" },
    });
    try {
      await test(transport, broker, running);
    } finally {
      await running.shutdown({ signal: AbortSignal.abort() });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Asks until the processes answer: a service serves before its process answers on the control channel. */
export async function eventually<Value>(ask: () => Promise<readonly Value[]>): Promise<readonly Value[]> {
  while (true) {
    const answers = await ask();
    if (answers.length > 0) return answers;
    await nextTurn();
  }
}
