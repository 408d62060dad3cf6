/**
 * The one door to amqplib: loads a copy of it that uses our field tables.
 *
 * amqplib's `lib/defs.js` takes `encodeTable` and `decodeFields` from `lib/codec.js` once, while it loads. So the
 * codec has to be replaced before anything else of the package runs, but nobody outside the package can name
 * that file: its export map hides it, and where the package lies depends on Deno (a cache folder, a
 * `node_modules`, the inside of a compiled binary). Hence three steps. Import the package the ordinary way,
 * which makes Deno fetch it and `deno compile` embed it; look up in Node's module cache which file that was;
 * then forget the package's modules and load them afresh around a codec of our own.
 *
 * Whoever else imports amqplib in this process keeps an untouched copy. If a release moves the codec, loading it
 * throws here, at the first connection.
 */

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Channel, ChannelModel, Message } from "npm:amqplib@2.3.1";
import { decodeFields, encodeTable } from "./field_table.ts";
import type { TickWriter } from "./tick_writer.ts";
import type { MessageProperties } from "../../runtime/message/transport.ts";

export type { Channel, ChannelModel, Message as ReceivedMessage };

/** The module `amqplib`. */
export type ClientLibrary = typeof import("npm:amqplib@2.3.1");

/** A channel, with the method below `publish()` that takes method fields and properties as they are. */
export interface PublishChannel extends Channel {
  sendMessage(
    fields: { readonly exchange: string; readonly routingKey: string; readonly mandatory?: boolean },
    properties: MessageProperties,
    body: Buffer,
  ): boolean;
}

/** What lies below the public types: the socket, and each channel's write buffer. */
interface WireConnection {
  readonly stream: Socket;
  readonly channels: ({ buffer: Pick<TickWriter, "write" | "end"> } | null)[];
}

/** Where Node's cache is looked at from: it takes files only, and this module may have been imported by URL. */
const BASE = import.meta.url.startsWith("file:")
  ? import.meta.url
  : Deno.build.os === "windows"
  ? "file:///C:/"
  : "file:///";

let library: Promise<ClientLibrary> | undefined;

/** Loads the library on first use. */
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
  return require(main.filename);
}

/** The socket under a connection. */
export function socketOf(model: ChannelModel): Socket {
  return (model.connection as unknown as WireConnection).stream;
}

/** Lets `writer` take the frames of an open, idle channel, in place of the channel's own object stream. */
export function writeThrough(channel: Channel, writer: TickWriter): void {
  const { connection, ch } = channel as unknown as { connection: WireConnection; ch: number };
  const slot = connection.channels[ch]!;
  slot.buffer.end();
  slot.buffer = writer;
}
