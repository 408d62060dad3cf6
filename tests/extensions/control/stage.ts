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
import { getLog } from "../../../runtime/log/observe.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import type { Transport } from "../../../runtime/message/transport.ts";

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
