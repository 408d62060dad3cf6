import type { DependencyHalf, DependencySetupHost } from "../../runtime/hosting/host.ts";
import { requireFields } from "../../runtime/message/field_table.ts";
import { isRecord } from "../../runtime/message/plain.ts";
import { transportableBody } from "../../runtime/message/payload/transportable_body.ts";
import type { FieldTable, Message } from "../../runtime/message/transport.ts";
import type { ManifestDependency } from "../../runtime/service/manifest.ts";
import { type Frame, readFrame, writeFrame } from "./frame.ts";
import { declaredTopology } from "./host.ts";
import type { RequireMessage } from "./reply.ts";
import type { ReplyDesk } from "./reply_desk.ts";

/**
 * Makes the half of a requester in the main thread: it sends the requests of all threads through one desk.
 *
 * @param requireMessage Refuses a request that the service may not send.
 */
export async function setUpRequester(
  dependency: ManifestDependency,
  { transport }: Pick<DependencySetupHost, "transport">,
  desk: ReplyDesk,
  requireMessage: RequireMessage = () => {},
): Promise<DependencyHalf> {
  await transport.declare(declaredTopology(dependency));
  const exchange = String(dependency.options["exchange"]);
  return {
    async answer(frame, { signal } = {}) {
      const { message, timeout } = requestOf(readFrame(frame), exchange);
      requireMessage(message);
      const { body, properties } = await desk.ask(message, { timeout, ...(signal && { signal }) });
      const { contentType, type, headers } = properties;
      const compression = headers?.["compression"];
      const facts = {
        ...(contentType !== undefined && { contentType }),
        ...(type !== undefined && { type }),
        ...(typeof compression === "string" && { headers: { compression } }),
      };
      return writeFrame({ facts, body: transportableBody(body, contentType, compression !== undefined) });
    },
  };
}

/**
 * Makes the request that a thread asks for. Nothing that the thread says is trusted.
 *
 * @throws {TypeError} If a fact has a wrong type, or no header table can carry the headers.
 * @throws {RangeError} If the name of a header is too long.
 */
export function requestOf(
  { facts, body }: Frame,
  exchange: string,
): { readonly message: Message; readonly timeout: number } {
  const { routingKey, timeout, contentType, contentEncoding, deliveryMode, priority, headers } = facts;
  if (
    typeof routingKey !== "string" || typeof timeout !== "number" || typeof contentType !== "string" ||
    typeof contentEncoding !== "string" || typeof priority !== "number" || !isRecord(headers)
  ) {
    throw new TypeError("Cannot send a request: a fact about it is missing or has a wrong type");
  }
  requireFields(headers as FieldTable);
  const properties = { contentType, contentEncoding, priority, headers: headers as FieldTable };
  return {
    message: {
      exchange,
      routingKey,
      body,
      properties: { ...properties, deliveryMode: deliveryMode === 1 ? 1 : 2 },
    },
    timeout,
  };
}
