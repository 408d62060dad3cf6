import type { LogRecord } from "../../runtime/log/log.ts";
import { isLogged } from "../../runtime/log/observe.ts";
import { RecordBatch } from "../../runtime/log/record_batch.ts";
import { spanIdOf, traceIdOf, traceparentOfSpan } from "../../runtime/telemetry/trace.ts";
import type { IncomingRequest } from "./request_handler.ts";
import type { SentBody } from "./response/outgoing_response.ts";

/** A request that has been answered. */
export interface AnsweredRequest {
  readonly incoming: IncomingRequest;
  readonly path: string;
  readonly status: number;
  /** Bytes of a body that was complete before the response began; what has been sent of another. */
  readonly sent: number | SentBody;
  /** What the line says beside the request and the response, such as the address of the client. */
  readonly facts: Readonly<Record<string, string>>;
}

/** The same with what is known only at the moment of the answer. */
interface Entry extends AnsweredRequest {
  /** Milliseconds from the request to its answer. */
  readonly took: number;
  /** Epoch milliseconds. */
  readonly time: number;
  /** Whether the client did not get the whole answer. */
  readonly isCut: boolean;
}

/**
 * Milliseconds: a client hardly leaves before a faster answer, and then nobody knows it, because the look at the signal
 * of a request costs more than all other work on a short one.
 */
const LONG = 200;

/** Writes a line about each request that has been answered, behind its answer. */
export class AccessLog {
  readonly #entries = new RecordBatch(describe);

  /** Whether the log shows the lines. */
  get isShown(): boolean {
    return isLogged("info");
  }

  /** Adds a request at the moment of its answer, or at the end of a body that goes bit by bit. */
  add(answered: AnsweredRequest): void {
    const { sent, incoming: { request, at } } = answered;
    const took = performance.now() - at;
    const isCut = typeof sent === "number" ? took >= LONG && request.signal.aborted : sent.isCut;
    this.#entries.add({ ...answered, took, time: Date.now(), isCut });
  }

  /** Writes the lines that wait, before the server ends. */
  flush(): void {
    this.#entries.flush();
  }
}

function describe({ incoming, path, status, sent, took, time, isCut, facts }: Entry): LogRecord {
  const { method, id, trace: { span, parent } } = incoming;
  const ms = took.toFixed(1);
  const bytes = typeof sent === "number" ? sent : sent.bytes;
  const traceparent = span === undefined ? parent : traceparentOfSpan(span, parent);
  return {
    level: "info",
    message: `${method} ${path} ${status} ${ms} ms ${bytes} bytes`,
    time,
    properties: isCut ? { ...facts, cut: true } : facts,
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
