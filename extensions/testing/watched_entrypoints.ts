/** Hosts the entrypoints of services for a test: it watches their calls, leaves some out, and keeps ticks back. */
import { runHeld } from "../../runtime/hosting/held_calls.ts";
import type {
  Entrypoint,
  EntrypointFactory,
  EntrypointHost,
  EntrypointInterceptor,
  HostedEntrypoint,
} from "../../runtime/hosting/host.ts";
import type { Outcome } from "../../runtime/message/outcome.ts";
import type { Payload } from "../../runtime/service/entrypoint.ts";
import type { CallEntry } from "../../runtime/telemetry/recent_calls.ts";
import type { Telemetry } from "../../runtime/telemetry/telemetry.ts";
import { callIdOf, traceparentOf, traceparentOfSpan } from "../../runtime/telemetry/trace.ts";
import { TICK } from "../timer/tick.ts";
import type { CallJournal } from "./call_journal.ts";
import type { MethodFilter } from "./entrypoint_pattern.ts";

/** Fires an entrypoint once, as if its time had come. */
export type Fire = () => Promise<Outcome>;

/** Options of {@linkcode watchEntrypoints}. */
export interface WatchEntrypointsOptions {
  readonly journal: CallJournal;
  /** Says which entrypoints are started. */
  readonly isStarted: MethodFilter;
  /** Whether timers and crons tick by themselves. */
  readonly ticks: boolean;
  /** Takes what fires the timers and crons, by `service.method`. */
  readonly fires: Map<string, Fire>;
  /** Names the calls; undefined if telemetry is off. */
  readonly telemetry: Telemetry | undefined;
}

const TICKING: ReadonlySet<string> = new Set(["timer", "cron"]);

/** Makes what stands between the services of a test and the hosts of their entrypoints. */
export function watchEntrypoints(options: WatchEntrypointsOptions): EntrypointInterceptor {
  const { isStarted, ticks } = options;
  return async ({ name, entrypoints }, load) => {
    const started = entrypoints.filter(({ kind, method }) =>
      isStarted(name, method) && (ticks || !TICKING.has(kind))
    );
    const registry = await load(started);
    const silent = entrypoints.filter((entry) => !started.includes(entry)).map(({ kind }) => kind);
    const kinds = new Set([...Object.keys(registry), ...silent]);
    return Object.fromEntries(
      [...kinds].map((kind) => [kind, watchedFactory(kind, registry[kind], options)]),
    );
  };
}

function watchedFactory(
  kind: string,
  factory: EntrypointFactory | undefined,
  { journal, isStarted, ticks, fires, telemetry }: WatchEntrypointsOptions,
): EntrypointFactory {
  return (entries, host) => {
    const watched = watchedHost(host, journal, telemetry);
    const wanted = entries.filter(({ method }) => isStarted(host.service, method));
    if (TICKING.has(kind)) {
      for (const entry of wanted) {
        fires.set(
          `${host.service}.${entry.method}`,
          () => runHeld(watched, entry, TICK, { signal: host.signal }),
        );
      }
      if (!ticks) return new SilentEntrypoint();
    }
    return wanted.length === 0 || factory === undefined ? new SilentEntrypoint() : factory(wanted, watched);
  };
}

/** Lets nothing in. */
class SilentEntrypoint implements Entrypoint {
  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}
}

function watchedHost(
  host: EntrypointHost,
  journal: CallJournal,
  telemetry: Telemetry | undefined,
): EntrypointHost {
  const named = new Map<number, CallEntry>();
  const entryOf = ({ index, method, kind }: HostedEntrypoint) => {
    const entry = named.get(index) ?? { service: host.service, method, kind };
    named.set(index, entry);
    return entry;
  };
  return {
    ...host,
    get demand() {
      return host.demand;
    },
    run(entry, payload, cancellation) {
      const { service } = host;
      const { method, kind } = entry;
      const spanned = telemetry === undefined ? payload : withSpan(payload, entryOf(entry), entry, telemetry);
      const call = { service, method, kind, payload, id: idOf(spanned, service, method) };
      return journal.run(call, () => host.run(entry, spanned, cancellation));
    },
  };
}

/** Names the span of a call that has not begun. The call then has the id that the span gives it. */
function withSpan(
  payload: Payload,
  entry: CallEntry,
  { options }: HostedEntrypoint,
  { tracer }: Telemetry,
): Payload {
  if (payload.span !== undefined) return payload;
  return { ...payload, span: tracer.begin(entry, payload.parent ?? traceparentOf(payload.headers), options) };
}

function idOf({ span, parent, headers }: Payload, service: string, method: string): string | undefined {
  if (span === undefined) return undefined;
  return callIdOf(service, method, traceparentOfSpan(span, parent ?? traceparentOf(headers)));
}
