import { DEFAULT_EXCHANGE } from "../../../../extensions/rpc/settings.ts";
import { rpcTopology } from "../../../../extensions/rpc/topology.ts";
import { decodeRequest, encodeFailure, encodeResult } from "../../../../extensions/rpc/wire.ts";
import { decodeDeadline } from "../../../../runtime/message/call_headers.ts";
import { JSON_CONTENT_TYPE } from "../../../../runtime/message/codec.ts";
import type { Consumer, Delivery, Transport } from "../../../../runtime/message/transport.ts";

/** A request that the test answers, or never. */
export interface ShakyRequest {
  readonly method: string;
  readonly args: readonly unknown[];
  /** Milliseconds that the caller says it still waits. */
  readonly left: number;
  answer(result?: unknown): Promise<void>;
  /** Answers with an error of this code, or of this name where a handler would have thrown it. */
  fail(code: string, name?: string): Promise<void>;
}

/** A service that the test itself serves, and whose requests it answers as it likes. */
export class ShakyService implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #name: string;
  readonly #came: ShakyRequest[] = [];
  readonly #awaited: ((request: ShakyRequest) => void)[] = [];
  #consumer: Consumer | undefined;
  /** Number of requests that have come. */
  count = 0;

  constructor(transport: Transport, name: string) {
    this.#transport = transport;
    this.#name = name;
  }

  /** Serves it through a transport that is connected, and closes that at the end. */
  static async open(transport: Transport, name: string): Promise<ShakyService> {
    const shaky = new ShakyService(transport, name);
    const { service, queueOf } = rpcTopology(DEFAULT_EXCHANGE);
    await transport.deleteQueue(queueOf(name));
    await transport.declare(service(name));
    shaky.#consumer = await transport.consume(queueOf(name), (delivery) => shaky.#receive(delivery), {
      prefetch: 1_000,
    });
    return shaky;
  }

  /** Gives the next request; waits until it comes. */
  next(): Promise<ShakyRequest> {
    const request = this.#came.shift();
    return request === undefined
      ? new Promise((resolve) => this.#awaited.push(resolve))
      : Promise.resolve(request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer?.stop();
    await this.#transport.deleteQueue(rpcTopology(DEFAULT_EXCHANGE).queueOf(this.#name));
    await this.#transport.close();
  }

  #receive({ routingKey, body, properties }: Delivery): Promise<"ack"> {
    const { headers, replyTo = "", correlationId = "" } = properties;
    const now = Date.now();
    const reply = (body: string) =>
      this.#transport.publish({
        exchange: DEFAULT_EXCHANGE,
        routingKey: replyTo,
        body,
        properties: { contentType: JSON_CONTENT_TYPE, contentEncoding: "utf-8", correlationId },
      });
    const request: ShakyRequest = {
      method: routingKey.slice(routingKey.lastIndexOf(".") + 1),
      args: decodeRequest(body.slice()).args,
      left: (decodeDeadline(headers, now) ?? Infinity) - now,
      answer: (result = null) => reply(encodeResult(JSON.stringify(result))),
      fail: (code, name = NAMES[code]!) =>
        reply(encodeFailure({ name, message: "no", code, retryable: false }, this.#name)),
    };
    this.count++;
    const awaited = this.#awaited.shift();
    if (awaited === undefined) this.#came.push(request);
    else awaited(request);
    return Promise.resolve("ack");
  }
}

const NAMES: Readonly<Record<string, string>> = {
  WORKER_LOST: "WorkerLostError",
  CONTAINER_STOPPING: "ContainerStoppingError",
  TIMEOUT: "CallTimeoutError",
};
