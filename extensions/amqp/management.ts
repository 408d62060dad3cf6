import { BrokerError } from "../../runtime/message/errors.ts";
import { isRecord } from "../../runtime/message/plain.ts";
import { timeLimit } from "../../runtime/waiting/abort.ts";
import { ManagementApi } from "./management_api.ts";
import { parseBrokerUris } from "./uri.ts";

/** What RabbitMQ's management plugin tells about a queue. */
export interface ManagedQueue {
  readonly name: string;
  /** Messages that wait for a consumer. */
  readonly messages: number;
  /** Messages that consumers hold. */
  readonly unacked: number;
  readonly consumers: number;
}

/** Options of {@linkcode listQueues}. */
export interface ListQueuesOptions {
  /**
   * URI of the plugin, such as `http://user:password@host:15672`.
   *
   * @default {the first host of the broker's URI, with the broker's login, port 15672, or port 15671 with TLS}
   */
  readonly management?: string;
  /** Milliseconds that the plugin may take. @default {3000} */
  readonly timeout?: number;
}

const COLUMNS = "name,messages_ready,messages_unacknowledged,consumers";

/** Most bytes of the list: some hundred thousand queues. */
const MOST_BYTES = 32 * 2 ** 20;

/**
 * Lists the queues of a vhost. Gives undefined if the broker has no management plugin at the usual port, or if its
 * user may not use the plugin.
 *
 * @param broker URI of the broker, or a list of URIs.
 * @throws {BrokerError} If the plugin at the URI that was given does not answer, or answers something else.
 */
export async function listQueues(
  broker: string,
  { management, timeout = 3_000 }: ListQueuesOptions = {},
): Promise<readonly ManagedQueue[] | undefined> {
  const [address] = parseBrokerUris(broker);
  const api = new ManagementApi(address, management);
  using limit = timeLimit(timeout);
  try {
    const response = await api.send({
      path: ["queues", address.vhost],
      query: `columns=${COLUMNS}`,
      signal: limit.signal,
    });
    const body = await readBody(response);
    if (!response.ok) throw new Error(`it answered with status ${response.status}`);
    return queuesOf(JSON.parse(body));
  } catch (error) {
    if (management === undefined) return undefined;
    const reason = limit.signal.aborted ? `no answer within ${timeout} ms` : (error as Error).message;
    throw new BrokerError(
      `Cannot list the queues with the management plugin at ${api.origin}: ${reason}. Check AMQP_MANAGEMENT_URI`,
      { cause: error, state: "unreachable" },
    );
  }
}

async function readBody({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > MOST_BYTES) throw new Error(`its answer has more than ${MOST_BYTES} bytes`);
  }
  return text;
}

function queuesOf(value: unknown): readonly ManagedQueue[] {
  if (!Array.isArray(value)) throw new Error("its answer is no list of queues");
  return value.flatMap((queue) => {
    if (!isRecord(queue) || typeof queue["name"] !== "string") return [];
    return [{
      name: queue["name"],
      messages: count(queue["messages_ready"]),
      unacked: count(queue["messages_unacknowledged"]),
      consumers: count(queue["consumers"]),
    }];
  });
}

function count(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) > 0 ? value as number : 0;
}
