/** The request headers that become context data. */
import type { FieldTable } from "../../../runtime/message/transport.ts";
import { type FlatHeaders, headerOf } from "./head.ts";
import { traceContext } from "./trace_context.ts";

/** Names of request headers, in small letters, by the key of the context data that they become. */
export type ContextHeaders = Readonly<Record<string, string>>;

/** The headers behind the context data that Nameko has names for. Who the user is must be found out, not be told. */
export const USUAL_CONTEXT_HEADERS: ContextHeaders = {
  language: "accept-language",
  user_agent: "user-agent",
  auth_token: "authorization",
};

/** Returns the message headers of a request: its trace, and the context data from its headers. */
export function contextOf(headers: FlatHeaders, wanted: ContextHeaders | undefined): FieldTable | undefined {
  const trace = traceContext(headers);
  if (wanted === undefined) return trace;
  const data = Object.entries(wanted).flatMap(([key, name]) => {
    const value = headerOf(headers, name);
    // The word in front of a token says how it is shown, and is no part of it.
    return value === undefined ? [] : [[`nameko.${key}`, value.replace(/^Bearer /i, "")]];
  });
  return { ...trace, ...Object.fromEntries(data) };
}
