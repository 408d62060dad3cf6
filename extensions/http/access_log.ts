import type { Log } from "../../runtime/log/log.ts";
import { spanIdOf, traceIdOf, traceparentOfSpan } from "../../runtime/telemetry/trace.ts";
import type { IncomingRequest } from "./request_handler.ts";

/**
 * Writes the line of a request that has been answered.
 *
 * @param bytes Bytes of the body that was sent.
 * @param facts What the line says beside the request and the response, such as the address of the client.
 */
export function logRequest(
  log: Log,
  { method, id, at, trace: { span, parent } }: IncomingRequest,
  path: string,
  status: number,
  bytes: number,
  facts: Readonly<Record<string, string>>,
): void {
  const took = (performance.now() - at).toFixed(1);
  const traceparent = span === undefined ? parent : traceparentOfSpan(span, parent);
  log.info(`${method} ${path} ${status} ${took} ms ${bytes} bytes`, facts, {
    ...(traceparent !== undefined && { trace: traceIdOf(traceparent), span: spanIdOf(traceparent) }),
    request: id,
    method,
    path,
    status,
    ms: Number(took),
    bytes,
  });
}
