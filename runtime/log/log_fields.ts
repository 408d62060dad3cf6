/**
 * The facts that the runtime itself states about a record. JSON lines show each as a field of its own, beside the
 * properties, so that a search for a trace or a slow request needs no regular expression. Pretty lines show only those
 * by which a reader finds the other lines.
 */
export interface LogFields {
  /** Id of the W3C trace that the call or the request is a part of. */
  readonly trace?: string | undefined;
  /** Id of the span of that trace which the call or the request is. */
  readonly span?: string | undefined;
  /** Id of the call. */
  readonly call?: string | undefined;
  /** Id of the call that led to this call. */
  readonly parent?: string | undefined;
  /** Id of the span that led to the call: that of the calling call or of a request. */
  readonly parentSpan?: string | undefined;
  /** Name of the handler's method; for a line about a request, the HTTP method. */
  readonly method?: string | undefined;
  /** Id of the HTTP request that the call began with. */
  readonly request?: string | undefined;
  /** Kind of the entrypoint. */
  readonly kind?: string | undefined;
  /** Name of the thread that ran the call. */
  readonly thread?: string | undefined;
  /** How the call ended. */
  readonly outcome?: string | undefined;
  /** Path of an HTTP request. */
  readonly path?: string | undefined;
  /** Status of an HTTP response. */
  readonly status?: number | undefined;
  /** Bytes of the body of an HTTP response. */
  readonly bytes?: number | undefined;
  /** Milliseconds that it took. */
  readonly ms?: number | undefined;
  /** Milliseconds of these that the call waited for a thread. */
  readonly waiting?: number | undefined;
}

const TYPES: Readonly<Record<keyof LogFields, "string" | "number">> = {
  trace: "string",
  span: "string",
  call: "string",
  parent: "string",
  parentSpan: "string",
  method: "string",
  request: "string",
  kind: "string",
  thread: "string",
  outcome: "string",
  path: "string",
  status: "number",
  bytes: "number",
  ms: "number",
  waiting: "number",
};

/** Longest text of a field. */
const LONGEST = 1_024;

/** Returns the fields of a record that a thread has posted, without what is no field. */
export function checkedFields(fields: Readonly<Record<string, unknown>>): LogFields {
  const checked: Record<string, unknown> = {};
  for (const name of Object.keys(TYPES) as (keyof LogFields)[]) {
    const value = fields[name];
    if (typeof value !== TYPES[name] || (typeof value === "string" && value.length > LONGEST)) continue;
    checked[name] = value;
  }
  return checked;
}
