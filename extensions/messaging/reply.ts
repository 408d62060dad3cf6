/**
 * Answers messages that name a queue for their answer, as many clients of brokers expect it: through the default
 * exchange, with the correlation id of the message.
 *
 * A failure has the property `type` "error", and Nameko's error object as JSON. So who asked need not wait until his
 * time is up, and a peer that knows nothing of the property gets an answer that it can tell from a result.
 */
import { encodeJson, JSON_CONTENT_TYPE } from "../../runtime/message/codec.ts";
import { ERROR_TYPE, toErrorObject } from "../../runtime/message/error_object.ts";
import { BadResultError, ConfigurationError, UnroutableError } from "../../runtime/message/errors.ts";
import { describeFailure } from "../../runtime/message/failure.ts";
import { type EndedOutcome, failed } from "../../runtime/message/outcome.ts";
import type { Delivery, Message, MessageProperties } from "../../runtime/message/transport.ts";
import type { EntrypointHost } from "../../runtime/hosting/host.ts";
import type { QueueSubscription } from "../../runtime/hosting/queue_host.ts";

/** @throws {ConfigurationError} If the service may not send the message. */
export type RequireMessage = (message: Message) => void;

/** Makes the function that sends the answers of one service. Its promise rejects if the answer has to be sent again. */
export function answerWith(
  { transport, service, log, signal }: EntrypointHost,
  requireReply: RequireMessage = () => {},
): NonNullable<QueueSubscription["answer"]> {
  const answer = async (delivery: Delivery, outcome: EndedOutcome): Promise<void> => {
    const message = replyTo(delivery, outcome, service);
    const place = `the reply to queue "${message.routingKey}"`;
    try {
      requireReply(message);
      await transport.publish(message, { signal });
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof UnroutableError) return log.info(`Dropped ${place}: the queue is gone`);
      if (error instanceof ConfigurationError) return log.error(`Dropped ${place}: ${error.message}`);
      // What a transport cannot write, it never can. All other failures of a transport may pass.
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      const text = `Cannot send ${place}: ${error.message}`;
      log.error(text, { error });
      if (outcome.status === "done") {
        await answer(delivery, failed(describeFailure(new BadResultError(text))));
      }
    }
  };
  return answer;
}

function replyTo(
  { properties: { replyTo, correlationId } }: Delivery,
  outcome: EndedOutcome,
  service: string,
): Message {
  const { body, properties } = outcome.status === "done" ? resultOf(outcome) : {
    body: encodeJson(toErrorObject(outcome.failure, service)),
    properties: { contentType: JSON_CONTENT_TYPE, contentEncoding: "utf-8", type: ERROR_TYPE },
  };
  return {
    exchange: "",
    routingKey: replyTo!,
    body,
    mandatory: true,
    properties: {
      ...properties,
      deliveryMode: 2,
      priority: 0,
      headers: {},
      ...(correlationId !== undefined && { correlationId }),
    },
  };
}

function resultOf(
  { body = "", head }: Extract<EndedOutcome, { readonly status: "done" }>,
): { readonly body: string | Uint8Array; readonly properties: MessageProperties } {
  // A hook of the main thread may have replaced the outcome, so the head need not be that of the conversion.
  if (typeof head !== "object") {
    return { body, properties: { contentType: JSON_CONTENT_TYPE, contentEncoding: "utf-8" } };
  }
  const { contentType, contentEncoding } = head;
  return {
    body,
    properties: {
      ...(typeof contentType === "string" && { contentType }),
      ...(typeof contentEncoding === "string" && { contentEncoding }),
    },
  };
}
