import type { LogRecord } from "../../runtime/log/log.ts";
import { isLogged } from "../../runtime/log/observe.ts";
import { RecordBatch } from "../../runtime/log/record_batch.ts";
import { spanIdOf, traceIdOf, traceparentOfSpan } from "../../runtime/telemetry/trace.ts";
import type { IncomingRequest } from "./request_handler.ts";

/** A request that has been answered. */
export interface AnsweredRequest {
  readonly incoming: IncomingRequest;
  readonly path: string;
  readonly status: number;
  /** Bytes of the body that was sent. */
  readonly bytes: number;
  /** Milliseconds from the request to its answer. */
  readonly took: number;
  /** Time of the answer in epoch milliseconds. */
  readonly time: number;
  /** What the line says beside the request and the response, such as the address of the client. */
  readonly facts: Readonly<Record<string, string>>;
}

/** Writes a line about each request that has been answered, behind its answer. */
export class AccessLog {
  readonly #answered = new RecordBatch(describe);

  /** Whether the log shows the lines. */
  get isShown(): boolean {
    return isLogged("info");
  }

  add(request: AnsweredRequest): void {
    this.#answered.add(request);
  }

  /** Writes the lines that wait, before the server ends. */
  flush(): void {
    this.#answered.flush();
  }
}

function describe({ incoming, path, status, bytes, took, time, facts }: AnsweredRequest): LogRecord {
  const { method, id, trace: { span, parent } } = incoming;
  const ms = took.toFixed(1);
  const traceparent = span === undefined ? parent : traceparentOfSpan(span, parent);
  return {
    level: "info",
    message: `${method} ${path} ${status} ${ms} ms ${bytes} bytes`,
    time,
    properties: facts,
    fields: {
      ...(traceparent !== undefined && { trace: traceIdOf(traceparent), span: spanIdOf(traceparent) }),
      request: id,
      method,
      path,
      status,
      ms: Number(ms),
      bytes,
    },
  };
}
