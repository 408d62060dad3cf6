/**
 * Describes what services exchange through the broker as an AsyncAPI 3.0 document: RPC as requests with replies, events
 * that they handle and dispatch, messages of queues.
 *
 * The document is made from manifests, so it needs no code of a service. Operations are said from the side of the
 * services: they receive requests, events and messages, and send events and messages. A channel is a place in the
 * broker: a routing key of an exchange, with the queue that gets what is sent there.
 */
import { Components } from "../../runtime/service/described/components.ts";
import type { MethodDetails } from "../../runtime/service/described/method_details.ts";
import { isRecord, type PlainRecord } from "../../runtime/message/plain.ts";
import type { ExchangeDeclaration, Topology } from "../../runtime/message/transport.ts";
import type { Manifest, ManifestDependency, ManifestEntrypoint } from "../../runtime/service/manifest.ts";
import type { EventSettings } from "../events/settings.ts";
import {
  type EventDelivery,
  eventExchangeDeclaration,
  eventExchangeOf,
  eventQueue,
} from "../events/topology.ts";
import { rpcTopology } from "../rpc/topology.ts";
import { type BrokerPlace, channelBinding, receivingBinding } from "./amqp_binding.ts";
import { olderDraft } from "./older_draft.ts";
import { replyMessage, requestMessage } from "./rpc_messages.ts";
import { serverEntries } from "./servers.ts";

/** Options of {@linkcode asyncApiDocument}. */
export interface AsyncApiOptions {
  /** Title of the document. @default {names of the services} */
  readonly title?: string | undefined;
  /** Version of the services that the document describes. @default {"0.0.0"} */
  readonly version?: string | undefined;
  /** URIs of the broker, whose passwords are left out. @default {none} */
  readonly servers?: readonly string[] | undefined;
  /** Name of the exchange of RPC. */
  readonly rpcExchange: string;
  /** Whether the broker deletes exchanges of events that nobody is bound to. */
  readonly autoDeleteExchanges: EventSettings["autoDeleteExchanges"];
}

/** Kinds of entrypoints that get something from the broker. */
const KINDS: ReadonlySet<string> = new Set(["rpc", "event", "consume"]);

/** Kinds of dependencies that send something to the broker. Clients are described by the services that they call. */
const SENDING: ReadonlySet<string | undefined> = new Set(["dispatcher", "publisher", "requester"]);

/** Says whether there is something to describe in a service. */
function hasMessages({ entrypoints, dependencies }: Manifest): boolean {
  return entrypoints.some(({ kind }) => KINDS.has(kind)) ||
    dependencies.some(({ kind }) => SENDING.has(kind));
}

/** Makes the document from manifests, which should include the details of the entrypoints. */
export function asyncApiDocument(manifests: readonly Manifest[], options: AsyncApiOptions): PlainRecord {
  const { title, version = "0.0.0", servers = [] } = options;
  const services = manifests.filter(hasMessages);
  const names = [...new Set(services.map(({ name }) => name))];
  const operations = new Operations(options);
  // Those who send know what a message is.
  for (const { name, dependencies } of services) {
    for (const dependency of dependencies) operations.send(name, dependency);
  }
  for (const { name, entrypoints } of services) {
    for (const entry of entrypoints) operations.receive(name, entry);
  }
  return {
    asyncapi: "3.0.0",
    info: {
      title: title ?? (names.join(", ") || "No messages"),
      version,
      ...(names.length > 0 && { tags: names.map((name) => ({ name })) }),
    },
    defaultContentType: "application/json",
    ...(servers.length > 0 && { servers: serverEntries(servers) }),
    ...operations.document,
  };
}

/** Collects operations, with their channels and messages. */
class Operations {
  readonly #options: AsyncApiOptions;
  readonly #components = new Components();
  readonly #channels: Record<string, PlainRecord> = {};
  readonly #operations: Record<string, PlainRecord> = {};
  readonly #messages: Record<string, PlainRecord> = {};

  constructor(options: AsyncApiOptions) {
    this.#options = options;
  }

  get document(): PlainRecord {
    const schemas = Object.fromEntries(
      Object.entries(this.#components.schemas).map((
        [name, schema],
      ) => [name, olderDraft(schema as PlainRecord)]),
    );
    return {
      channels: this.#channels,
      operations: this.#operations,
      components: { messages: this.#messages, schemas },
    };
  }

  /** Adds what an entrypoint receives. */
  receive(service: string, entry: ManifestEntrypoint): void {
    const details = (entry.details ?? {}) as MethodDetails & PlainRecord;
    if (entry.kind === "rpc") this.#addMethod(service, entry.method, details);
    else if (entry.kind === "event") this.#addHandler(service, entry);
    else if (entry.kind === "consume") this.#addConsumer(service, entry);
  }

  /** Adds what a dependency sends. */
  send(service: string, { key, kind, options, details }: ManifestDependency): void {
    const events = details?.["events"];
    if (kind === "dispatcher" && isRecord(events)) {
      for (const [type, schema] of Object.entries(events)) {
        if (isRecord(schema)) this.#addEvent(service, key, type, schema as PlainRecord);
      }
    } else if (kind === "dispatcher") {
      this.#addSender(service, key, eventExchangeOf(service), "Dispatches events.", {
        exchange: this.#eventExchange(service),
      });
    } else if (kind === "publisher" || kind === "requester") {
      const [exchange] = topologyOf(options).exchanges ?? [];
      const place = { exchange: exchange ?? DEFAULT_EXCHANGE };
      const name = exchange === undefined ? "default exchange" : exchange.name;
      const verb = kind === "publisher" ? "Publishes messages." : "Sends requests.";
      this.#addSender(service, key, `${service}.${key} to ${name}`, verb, place);
    }
  }

  #addMethod(service: string, method: string, details: MethodDetails): void {
    const { description, input = [], output } = details;
    const name = `${service}.${method}`;
    const adopt = (schema: PlainRecord, part: string) =>
      olderDraft(this.#components.adopt(schema, `${name}.${part}`));
    const schemas = {
      input: input.map((schema, index) => adopt(schema, details.parameters?.[index]?.name ?? String(index))),
      output: output && adopt(output, "result"),
    };
    const { exchanges: [exchange] = [], queues: [queue] = [] } = rpcTopology(this.#options.rpcExchange)
      .service(service);
    this.#addMessage(`${name}.request`, requestMessage(name, details, schemas));
    this.#addMessage(`${name}.reply`, replyMessage(name, details, schemas));
    this.#addChannel(name, name, { exchange, queue }, `${name}.request`);
    const replies = `${service}.replies`;
    const place = { exchange };
    this.#addChannel(replies, null, place, `${name}.reply`, "Replies, each to the queue of its caller.");
    this.#operations[name] = {
      action: "receive",
      channel: channelReference(name),
      ...(description !== undefined && { description }),
      tags: [{ name: service }],
      bindings: receivingBinding(true),
      messages: [messageReference(name, `${name}.request`)],
      reply: {
        address: { location: "$message.header#/reply_to", description: "Routing key of the caller's queue." },
        channel: channelReference(replies),
        messages: [messageReference(replies, `${name}.reply`)],
      },
    };
  }

  #addHandler(service: string, { method, options }: ManifestEntrypoint): void {
    const { source, type, delivery, reliable } = options as {
      readonly source: string;
      readonly type: string;
      readonly delivery: EventDelivery;
      readonly reliable: boolean;
    };
    const place = { source, type, delivery, reliable, service, method, broadcastId: "" };
    const declared = eventQueue(place);
    // Each instance has a queue of its own for a broadcast, which has no other name.
    const queue = delivery === "broadcast" ? undefined : declared;
    const channel = delivery === "broadcast" ? `${declared.name}INSTANCE` : declared.name;
    const message = `${source}.${type}`;
    this.#addMessage(message, { name: message, title: `Event ${message}` });
    this.#addChannel(channel, type, { exchange: this.#eventExchange(source), queue }, message);
    this.#addOperation(service, method, channel, {
      summary: `Handles the event "${type}" of ${source} (${delivery}${reliable ? ", reliable" : ""}).`,
      bindings: receivingBinding(true),
      messages: [messageReference(channel, message)],
    });
  }

  #addConsumer(service: string, { method, options }: ManifestEntrypoint): void {
    const { queues = [], exchanges = [], bindings = [] } = topologyOf(options);
    const name = typeof options["queue"] === "string" ? options["queue"] : undefined;
    const channel = name ?? `${service}.${method} queue of an instance`;
    const message = `${service}.${method}.message`;
    this.#addMessage(message, { name: message, title: `Message for ${service}.${method}` });
    if (name === undefined) {
      const [binding] = bindings;
      const exchange = exchanges.find((each) => each.name === binding?.exchange) ?? DEFAULT_EXCHANGE;
      this.#addChannel(channel, binding?.routingKey ?? null, { exchange }, message);
    } else {
      const queue = queues.find((each) => each.name === name) ?? { name };
      const own = bindings.filter((each) => each.queue === name);
      this.#addChannel(channel, name, { queue, bindings: own }, message);
    }
    this.#addOperation(service, method, channel, {
      summary: `Consumes ${name === undefined ? "a queue of each instance" : `queue "${name}"`}.`,
      bindings: receivingBinding(options["noAck"] !== true),
      messages: [messageReference(channel, message)],
      ...(options["reply"] === true && {
        reply: {
          address: { location: "$message.header#/reply_to", description: "Queue of the sender." },
        },
      }),
    });
  }

  #addEvent(service: string, key: string, type: string, schema: PlainRecord): void {
    const message = `${service}.${type}`;
    const channel = `${eventExchangeOf(service)}.${type}`;
    const payload = olderDraft(this.#components.adopt(schema, message));
    this.#addMessage(message, { name: message, title: `Event ${message}`, payload });
    this.#addChannel(channel, type, { exchange: this.#eventExchange(service) }, message);
    this.#operations[uniqueName(this.#operations, `${service}.${key}.${type}`)] = {
      action: "send",
      channel: channelReference(channel),
      summary: `Dispatches the event "${type}".`,
      tags: [{ name: service }],
      messages: [messageReference(channel, message)],
    };
  }

  #addSender(service: string, key: string, channel: string, summary: string, place: BrokerPlace): void {
    const message = `${service}.${key}.message`;
    this.#addMessage(message, { name: message, title: `What ${service} sends by "${key}"` });
    this.#addChannel(channel, "{routingKey}", place, message);
    this.#channels[channel] = {
      ...this.#channels[channel],
      parameters: { routingKey: { description: "Type of the event, or routing key of the message." } },
    };
    this.#operations[uniqueName(this.#operations, `${service}.${key}`)] = {
      action: "send",
      channel: channelReference(channel),
      summary,
      tags: [{ name: service }],
      messages: [messageReference(channel, message)],
    };
  }

  #addOperation(service: string, method: string, channel: string, facts: PlainRecord): void {
    this.#operations[uniqueName(this.#operations, `${service}.${method}`)] = {
      action: "receive",
      channel: channelReference(channel),
      tags: [{ name: service }],
      ...facts,
    };
  }

  #addMessage(name: string, message: PlainRecord): void {
    this.#messages[componentName(name)] ??= message;
  }

  /** Adds a channel, or one more message to a channel that is there. */
  #addChannel(
    channel: string,
    address: string | null,
    place: BrokerPlace,
    message: string,
    description?: string,
  ): void {
    const known = this.#channels[channel];
    const messages = isRecord(known?.["messages"]) ? known["messages"] as PlainRecord : {};
    const reference = { $ref: `#/components/messages/${pointer(componentName(message))}` };
    this.#channels[channel] = {
      address,
      ...(description !== undefined && { description }),
      ...known,
      messages: { ...messages, [componentName(message)]: reference },
      bindings: channelBinding(place),
    };
  }

  #eventExchange(source: string): ExchangeDeclaration {
    return eventExchangeDeclaration(source, this.#options.autoDeleteExchanges);
  }
}

const DEFAULT_EXCHANGE: ExchangeDeclaration = { name: "", type: "direct" };

function topologyOf({ topology }: PlainRecord): Topology {
  return isRecord(topology) ? topology as unknown as Topology : {};
}

function channelReference(channel: string): PlainRecord {
  return { $ref: `#/channels/${pointer(channel)}` };
}

function messageReference(channel: string, message: string): PlainRecord {
  return { $ref: `#/channels/${pointer(channel)}/messages/${pointer(componentName(message))}` };
}

/** Writes a name as a JSON pointer in a URL has it. */
function pointer(name: string): string {
  return encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));
}

/** Components have names of few signs, and the pattern of an event has others, too. */
function componentName(name: string): string {
  return name.replaceAll("*", "ANY").replaceAll("#", "ALL").replaceAll(/[^\w.-]/g, "_");
}

function uniqueName(taken: PlainRecord, name: string): string {
  for (let number = 1;; number++) {
    const free = number === 1 ? name : `${name}.${number}`;
    if (!Object.hasOwn(taken, free)) return free;
  }
}
