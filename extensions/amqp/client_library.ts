/**
 * The only file that loads amqplib. It loads a copy of amqplib that uses our field tables.
 *
 * amqplib's `lib/defs.js` takes `encodeTable` and `decodeFields` from `lib/codec.js` once, while it loads. So
 * this file must replace the codec before any other file of the package runs. But code outside the package
 * cannot name the codec's file: the package's export map hides it, and the place of the package depends on
 * Deno (a cache folder, a `node_modules`, the inside of a compiled binary). Hence loading takes three steps.
 * First, it imports the package in the ordinary way, so that Deno fetches the package and `deno compile`
 * embeds it. Second, it finds the imported file in Node's module cache. Third, it deletes the package's
 * modules from the cache and loads them again with our codec.
 *
 * Other code in this process that imports amqplib keeps an unchanged copy. If a release of amqplib moves the
 * codec, this file throws at the first connection.
 */

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Buffer } from "node:buffer";
import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type { Channel, ChannelModel, Message } from "npm:amqplib@2.3.1";
import { decodeFields, encodeTable } from "./field_table.ts";
import { limitMessages } from "./message_limits.ts";
import type { TickWriter } from "./tick_writer.ts";
import type { MessageProperties } from "../../runtime/message/transport.ts";

export type { Channel, ChannelModel, Message as ReceivedMessage };

/** Type of the module `amqplib`. */
export type ClientLibrary = typeof import("npm:amqplib@2.3.1");

/**
 * A channel with the internal method that `publish()` calls. It takes method fields and properties as they
 * are.
 */
export interface PublishChannel extends Channel {
  sendMessage(
    fields: { readonly exchange: string; readonly routingKey: string; readonly mandatory?: boolean },
    properties: MessageProperties,
    body: Buffer,
  ): boolean;
}

/** Parts of a connection that the public types hide: the socket, and the write buffer of each channel. */
interface WireConnection {
  readonly stream: Socket;
  readonly channels: ({ readonly channel: unknown; buffer: Pick<TickWriter, "write" | "end"> } | null)[];
}

/** Part of the class of a connection that {@linkcode watchOpening} changes. */
interface WireClass {
  readonly prototype: EventEmitter & { open(...parameters: unknown[]): void };
}

/** The connections that have ended, and what ended each of them. */
const ended = new WeakMap<object, Error>();

/**
 * Base for `createRequire()`, which gives access to Node's module cache. It must be a file, but this module
 * may have been imported by URL.
 */
const BASE = import.meta.url.startsWith("file:")
  ? import.meta.url
  : Deno.build.os === "windows"
  ? "file:///C:/"
  : "file:///";

let library: Promise<ClientLibrary> | undefined;

/** Loads the library at the first call. Later calls return the same promise. */
export function loadClientLibrary(): Promise<ClientLibrary> {
  return library ??= load();
}

async function load(): Promise<ClientLibrary> {
  const ordinary = await import("npm:amqplib@2.3.1");
  const require = createRequire(BASE);
  const main = Object.values(require.cache).find((module) => module?.exports?.connect === ordinary.connect);
  if (main === undefined) throw new Error("Cannot load amqplib: it is not in the module cache");
  const folder = dirname(main.filename);
  for (const file of Object.keys(require.cache)) {
    if (file.startsWith(folder)) delete require.cache[file];
  }
  Object.assign(require(join(folder, "lib", "codec.js")), { decodeFields, encodeTable });
  watchOpening(require(join(folder, "lib", "connection.js")).Connection);
  limitMessages(require(join(folder, "lib", "channel.js")).Channel);
  return require(main.filename);
}

/**
 * Makes each connection note its end from the start.
 *
 * The broker may close a connection in the same piece of bytes that opens it. The library handles that close
 * before it hands the connection out, so that nobody could listen yet: an error would be thrown out of the
 * socket's event, and a close would go unseen.
 */
function watchOpening({ prototype }: WireClass): void {
  const { open } = prototype;
  prototype.open = function (...parameters) {
    this.on("error", (error: Error) => ended.set(this, error));
    this.on("close", (error?: Error) => {
      if (!ended.has(this)) ended.set(this, error ?? new Error("the connection was closed"));
    });
    return open.apply(this, parameters);
  };
}

/** Returns what ended a connection; undefined while the connection is open. */
export function endOf(model: ChannelModel): Error | undefined {
  return ended.get(model.connection);
}

/**
 * Returns whether a channel is open. Between the broker's answer and the code that waited for it, the channel
 * may have closed: both may arrive in the same piece of bytes.
 */
export function isOpen(channel: Channel): boolean {
  const { connection, ch } = channel as unknown as { connection: WireConnection; ch: number };
  return connection.channels[ch]?.channel === channel;
}

/** Returns the numbers of the version of a RabbitMQ; none for another broker. */
export function brokerVersionOf(model: ChannelModel): readonly number[] {
  const { product, version } = serverPropertiesOf(model);
  if (product !== "RabbitMQ" || typeof version !== "string") return [];
  return version.slice(0, 40).split(".").map((part) => Number.parseInt(part, 10) || 0);
}

/** Returns the name and the version of a broker; undefined if it does not say them. */
export function brokerSoftwareOf(model: ChannelModel): string | undefined {
  const { product, version } = serverPropertiesOf(model);
  return typeof product === "string" && typeof version === "string"
    ? `${product} ${version}`.slice(0, 100)
    : undefined;
}

function serverPropertiesOf(model: ChannelModel): Readonly<Record<string, unknown>> {
  const { serverProperties } = model.connection as { readonly serverProperties?: Record<string, unknown> };
  return serverProperties ?? {};
}

/** Returns the socket under a connection. */
export function socketOf(model: ChannelModel): Socket {
  return (model.connection as unknown as WireConnection).stream;
}

/** Makes `writer` take the frames of an open, idle channel, in place of the channel's own object stream. */
export function writeThrough(channel: Channel, writer: TickWriter): void {
  const { connection, ch } = channel as unknown as { connection: WireConnection; ch: number };
  const slot = connection.channels[ch]!;
  slot.buffer.end();
  slot.buffer = writer;
}

/**
 * Calls `listener` when the broker sends something on a channel that makes no sense there. The library would
 * close the channel and wait for the broker's consent, for which it may wait for ever.
 */
export function onViolation(channel: Channel, listener: (error: Error) => void): void {
  Object.assign(channel, {
    closeWithError: (_id: number, _reason: string, _code: number, error: Error) => listener(error),
  });
}

/**
 * Lets a channel go on after the library could not encode a request: it has sent nothing, and yet waits for an
 * answer, so that every later request on the channel would wait for ever.
 */
export function forgetUnsent(channel: Channel): void {
  (channel as unknown as { reply: unknown }).reply = null;
}
