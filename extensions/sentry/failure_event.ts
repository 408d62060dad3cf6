/** Makes what Sentry gets of a call that has failed. */
import { isSecretKey, MASK, maskSecrets } from "../../runtime/log/secrets.ts";
import type { LogRecord } from "../../runtime/log/log.ts";
import type { FieldTable } from "../../runtime/message/transport.ts";
import type { SentrySettings } from "./settings.ts";
import { type ExceptionValue, readStacks } from "./stack_frames.ts";

/** An event in the form that Sentry takes (https://develop.sentry.dev/sdk/data-model/event-payloads/). */
export interface SentryEvent {
  readonly event_id: string;
  readonly [attribute: string]: unknown;
}

/** Most characters of a tag. Sentry drops longer ones. */
const LONGEST_TAG = 200;

/**
 * Makes the event of a failure. Nothing in it is a secret that the log would mask.
 *
 * @param record What the log says about the failure.
 * @param context Context data of the call.
 */
export function failureEvent(
  { level, message, service = "", thread, time = Date.now(), fields = {}, properties = {}, error }: LogRecord,
  context: FieldTable,
  settings: SentrySettings,
): SentryEvent {
  const { trace, span, call, parent, method = "", kind, request, outcome } = fields;
  const { environment, release, serverName, userKeys, tagKeys } = settings;
  const isExpected = outcome === "expected";
  const errors = error === undefined ? [told(message)] : errorsOf(error);
  const [{ type, value }] = errors.slice(-1) as [ExceptionValue];
  const user = pick(context, userKeys);
  const tags = {
    ...settings.tags,
    call_id: call,
    parent_call_id: parent,
    service_name: service,
    method_name: method,
    kind,
    request_id: request,
    thread,
    ...pick(context, tagKeys),
  };
  return maskSecrets({
    event_id: crypto.randomUUID().replaceAll("-", ""),
    timestamp: time / 1_000,
    platform: "javascript",
    level: isExpected ? "warning" : level,
    logger: `${service}.${method}`,
    logentry: { formatted: `Unhandled exception in call ${call ?? "without an id"}: ${type} ${value}` },
    exception: {
      values: errors.map((each) => ({ ...each, mechanism: { type: "enoki", handled: isExpected } })),
    },
    tags: Object.fromEntries(
      Object.entries(tags).filter(([, value]) => value !== undefined)
        .map(([name, value]) => [name, isSecretKey(name) ? MASK : String(value).slice(0, LONGEST_TAG)]),
    ),
    user: "user_id" in user ? { id: user.user_id, ...user } : user,
    extra: { ...context, ...properties },
    contexts: {
      runtime: { name: "deno", version: Deno.version.deno },
      ...(trace !== undefined && span !== undefined && {
        trace: { trace_id: trace, span_id: span, op: kind, status: "internal_error" },
      }),
    },
    environment,
    release,
    server_name: serverName,
  }) as SentryEvent;
}

/** The error itself comes last. Its stack does not always begin with its name and message. */
function errorsOf({ name, message, stack }: NonNullable<LogRecord["error"]>): readonly ExceptionValue[] {
  const errors = readStacks(stack ?? "");
  return [...errors.slice(0, -1), { ...errors.at(-1)!, type: name, value: message }];
}

/** The log has no stack of an error that is no fault of the service, but its name and message. */
function told(message: string): ExceptionValue {
  const [, type = "Error", value = message] = / failed: ([^\s:]+): ([^]*)$/.exec(message) ?? [];
  return { type, value };
}

function pick(context: FieldTable, keys: readonly RegExp[]): FieldTable {
  return Object.fromEntries(Object.entries(context).filter(([name]) => keys.some((key) => key.test(name))));
}
