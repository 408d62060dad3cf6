import { followDemand } from "../../runtime/hosting/follow_demand.ts";
import { JSON_CONTENT_TYPE } from "../../runtime/message/codec.ts";
import { decodeUtf8 } from "../../runtime/message/payload/utf8.ts";
import type { Body } from "../../runtime/message/reply.ts";
import { COMPRESSION_HEADER } from "../../runtime/message/payload/compression.ts";
import { DEFAULT_PAYLOADS, isOurJson, type Payloads } from "../../runtime/message/payload/payloads.ts";
import { isUtf8, MESSAGEPACK_CONTENT_TYPE, parseContentType } from "../../runtime/message/serializer.ts";
import { toErrorObject } from "../../runtime/message/error_object.ts";
import type { Payload } from "../../runtime/service/entrypoint.ts";
import { decodeDeadline } from "../../runtime/message/call_headers.ts";
import {
  BadRequestError,
  BadResultError,
  CallTimeoutError,
  MethodNotFoundError,
} from "../../runtime/message/errors.ts";
import type { Entrypoint, EntrypointHost, HostedEntrypoint } from "../../runtime/hosting/host.ts";
import { bury } from "../../runtime/hosting/message_fate.ts";
import { nearestNames } from "../../runtime/service/options/nearest_names.ts";
import { describeFailure, type Failure } from "../../runtime/message/failure.ts";
import { type EndedOutcome, failed, type Outcome } from "../../runtime/message/outcome.ts";
import type { Consumer, Delivery, Verdict } from "../../runtime/message/transport.ts";
import { replyHeaders } from "./least_times.ts";
import { methodKeyOf, requestHeaders, RequestRetry, wantsRetry } from "./request_retry.ts";
import { rpcTopology } from "./topology.ts";
import { encodeFailure, encodeResult } from "./wire.ts";

/**
 * Serves the RPC methods of a service, with one queue and one consumer. Each reply comes before its verdict.
 *
 * The host acks a request only when the broker has confirmed the reply, so that the broker offers the request
 * again after a crash in between (Nameko 2.14). The reply to a transient request is as transient: the host acks such a
 * request when its reply is on the way. Nameko drops some requests in silence. This host answers them
 * too, if they say whom to answer. A request whose handler has failed may be sent again later, in place of a reply.
 */
export class RpcHost implements Entrypoint {
  readonly #host: EntrypointHost;
  readonly #byRoutingKey: ReadonlyMap<string, HostedEntrypoint>;
  readonly #topology: ReturnType<typeof rpcTopology>;
  readonly #queue: string;
  readonly #retry: RequestRetry;
  readonly #payloads: Payloads;
  /** The longest time limit of a method in milliseconds; undefined if there is none. */
  readonly #longest: number | undefined;
  #consumer: Consumer | undefined;

  /**
   * @param exchange The exchange that requests and replies go through.
   * @param payloads What the threads read.
   */
  constructor(
    entries: readonly HostedEntrypoint[],
    host: EntrypointHost,
    exchange: string,
    payloads: Payloads = DEFAULT_PAYLOADS,
  ) {
    this.#host = host;
    this.#payloads = payloads;
    this.#topology = rpcTopology(exchange);
    this.#queue = this.#topology.queueOf(host.service);
    this.#retry = new RequestRetry(host, { exchange, queue: this.#queue });
    const longest = Math.max(...entries.map(({ timeout = 0 }) => timeout));
    this.#longest = longest > 0 ? longest : undefined;
    this.#byRoutingKey = new Map(entries.map((entry) => [`${host.service}.${entry.method}`, entry]));
  }

  async setup(): Promise<void> {
    await this.#host.transport.declare(this.#topology.service(this.#host.service));
  }

  async start(): Promise<void> {
    const { transport, demand } = this.#host;
    this.#consumer = await transport.consume(this.#queue, this.#receive, {
      prefetch: demand,
      ...(this.#longest !== undefined && { longest: this.#longest }),
    });
    followDemand(this.#host, [this.#consumer]);
  }

  async stop(): Promise<void> {
    await this.#consumer?.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer?.stop();
  }

  readonly #receive = async (delivery: Delivery): Promise<Verdict> => {
    if (delivery.properties.replyTo === undefined) return await this.#buryUnanswerable(delivery);
    const key = methodKeyOf(delivery, this.#queue);
    const entry = this.#byRoutingKey.get(key);
    const deadline = decodeDeadline(delivery.properties.headers, this.#host.clock.now());
    const outcome = entry === undefined ? this.#refuse(key) : await this.#run(entry, key, delivery, deadline);
    if (outcome.status === "unstarted") return "requeue";
    if (outcome.status === "failed" && entry !== undefined && wantsRetry(outcome, entry)) {
      const decided = await this.#retry.decide({ delivery, entry, outcome, deadline });
      return typeof decided === "string" ? decided : await this.#reply(decided, delivery, entry);
    }
    return await this.#reply(outcome, delivery, entry);
  };

  async #buryUnanswerable(delivery: Delivery): Promise<Verdict> {
    const { transport, log, signal } = this.#host;
    const error = malformed(
      `Cannot answer a request with routing key "${delivery.routingKey}": it has no reply_to`,
    );
    log.error(error.message);
    const outbox = { transport, queue: this.#queue, signal, log };
    await bury(outbox, delivery, "undecodable", describeFailure(error));
    return "ack";
  }

  /**
   * Sends the reply, and gives the verdict on the request.
   *
   * A reply that cannot be sent, because it is too large or its exchange is gone, is no reason to run the
   * call again. If the reply was a result, the host then sends an error in its place.
   */
  async #reply(
    outcome: EndedOutcome,
    delivery: Delivery,
    entry: HostedEntrypoint | undefined,
  ): Promise<Verdict> {
    const { transport, log, signal } = this.#host;
    const { replyTo, correlationId, deliveryMode } = delivery.properties;
    const isTransient = deliveryMode === 1;
    try {
      const { body, ...form } = outcome.status === "failed"
        ? await this.#failureMessage(outcome.failure, delivery)
        : outcome.head === undefined
        ? { ...JSON_FORM, body: encodeResult(outcome.body as string) }
        // The thread has written the envelope, too, because it has the serializer.
        : { ...outcome.head as unknown as Form, body: outcome.body! };
      await transport.publish({
        exchange: this.#topology.exchange,
        routingKey: replyTo!,
        body,
        properties: {
          ...form,
          deliveryMode: isTransient ? 1 : 2,
          priority: 0,
          headers: replyHeaders(entry === undefined ? 0 : this.#host.least(entry)),
          ...(correlationId !== undefined && { correlationId }),
        },
      }, { signal, confirmed: !isTransient });
      return "ack";
    } catch (error) {
      if (signal.aborted) return "requeue";
      const text = `Cannot send the reply of "${delivery.routingKey}": ${(error as Error).message}`;
      log.error(text, { error });
      if (outcome.status === "failed") return "ack";
      return await this.#reply(refused(new BadResultError(text)), delivery, entry);
    }
  }

  /**
   * Writes a failure of which only the main thread knows in the serializer of the request, as far as the main thread
   * has it: in JSON or MessagePack. Else it is JSON, which Enoki's clients always read.
   */
  async #failureMessage(
    failure: Failure,
    { properties: { contentType } }: Delivery,
  ): Promise<Form & { readonly body: NonNullable<Body> }> {
    const { service } = this.#host;
    const builtIn = this.#payloads.accepted.find((each) => each.contentType === contentType);
    const serializer = builtIn === undefined && contentType === MESSAGEPACK_CONTENT_TYPE
      ? (await import("../../runtime/message/payload/messagepack.ts")).messagepack
      : builtIn;
    if (serializer === undefined || isOurJson(serializer)) {
      return { ...JSON_FORM, body: encodeFailure(failure, service) };
    }
    const body = serializer.encode({ result: null, error: toErrorObject(failure, service) });
    return { contentType: serializer.contentType, contentEncoding: serializer.contentEncoding, body };
  }

  #refuse(key: string): EndedOutcome {
    const method = key.slice(key.lastIndexOf(".") + 1);
    const methods = new Set([...this.#byRoutingKey.values()].map((entry) => entry.method));
    return refused(new MethodNotFoundError(method, undefined, nearestNames(method, methods)));
  }

  #run(
    entry: HostedEntrypoint,
    key: string,
    { body, properties }: Delivery,
    deadline: number | undefined,
  ): Outcome | Promise<Outcome> {
    const { contentType, headers } = properties;
    if (contentType === undefined) {
      return refused(
        malformed(`Cannot read a request without a content type: send it, as ${JSON_CONTENT_TYPE}`),
      );
    }
    if (deadline !== undefined && deadline <= this.#host.clock.now()) {
      return refused(new CallTimeoutError(`Cannot run "${key}": its deadline has passed`));
    }
    let payload: Payload;
    const own = requestHeaders(headers);
    if (isPlainJson(contentType) && headers?.[COMPRESSION_HEADER] === undefined) {
      try {
        payload = { body: decodeUtf8(body), contentType: undefined, headers: own };
      } catch {
        return refused(malformed("Cannot decode the request: it is not UTF-8"));
      }
    } else payload = { body: new Uint8Array(body), contentType, headers: own };
    return this.#host.run(entry, deadline === undefined ? payload : { ...payload, deadline });
  }
}

/** How a body is encoded, as the properties of its message say. */
interface Form {
  readonly contentType: string;
  readonly contentEncoding: string;
}

const JSON_FORM: Form = { contentType: JSON_CONTENT_TYPE, contentEncoding: "utf-8" };

/** Says whether a content type, maybe with parameters or capital letters, is that of JSON in UTF-8. */
function isPlainJson(contentType: string): boolean {
  if (contentType === JSON_CONTENT_TYPE) return true;
  const { type, charset } = parseContentType(contentType);
  return type === JSON_CONTENT_TYPE && isUtf8(charset);
}

function refused(error: Error): EndedOutcome {
  return failed(describeFailure(error), true);
}

function malformed(message: string): BadRequestError {
  return new BadRequestError(message, { reason: "MalformedRequest" });
}
