/** The two ends of the channel between the main thread and a thread. */
import type { FromThread, HostPort, ThreadPort, ToThread } from "./port.ts";
import { FROM_THREAD, TO_THREAD } from "./port_codec.ts";
import { type RingCodec, RingPort, type WakeTime } from "./ring_port.ts";
import { createRing } from "./shared_ring.ts";

/** Bytes of each of a thread's two rings. Messages of more than about a tenth of it go through the port. */
const RING_BYTES = 131_072;

/** A thread's end of the channel, as a message to the thread. The sender must transfer `port`. */
export interface ThreadChannelEnd {
  readonly port: MessagePort;
  readonly toThread: SharedArrayBuffer;
  readonly toHost: SharedArrayBuffer;
}

/** Makes a channel. The main thread keeps `host`. */
export function createThreadChannel(): { readonly host: HostPort; readonly thread: ThreadChannelEnd } {
  return channelWith<ToThread, FromThread>(TO_THREAD, FROM_THREAD, "at end of turn");
}

/** Makes a channel whose host has other codecs, which read and write the same texts. */
export function channelWith<Outgoing, Incoming>(
  outgoingCodec: RingCodec<Outgoing>,
  incomingCodec: RingCodec<Incoming>,
  wakes: WakeTime,
): { readonly host: RingPort<Outgoing, Incoming>; readonly thread: ThreadChannelEnd } {
  const { port1, port2 } = new MessageChannel();
  const [toThread, toHost] = [createRing(RING_BYTES), createRing(RING_BYTES)];
  const host = new RingPort<Outgoing, Incoming>(port1, {
    outgoing: toThread,
    incoming: toHost,
    outgoingCodec,
    incomingCodec,
    wakes,
  });
  return { host, thread: { port: port2, toThread, toHost } };
}

/** Opens a thread's end of the channel, in the thread itself. */
export function openThreadChannel({ port, toThread, toHost }: ThreadChannelEnd): ThreadPort {
  return new RingPort<FromThread, ToThread>(port, {
    outgoing: toHost,
    incoming: toThread,
    outgoingCodec: FROM_THREAD,
    incomingCodec: TO_THREAD,
  });
}

/** The data that a thread gets when it starts. */
export interface ThreadBirth {
  readonly channel: ThreadChannelEnd;
  readonly claims: SharedArrayBuffer;
}

/** The part of a web Worker's global scope that we use. The type check knows only a window's scope. */
export interface WorkerScope<Incoming, Outgoing> {
  onmessage: ((event: { readonly data: Incoming }) => void) | null;
  postMessage(message: Outgoing): void;
  /** Absent in a node thread. */
  close?: () => void;
  readonly navigator: {
    readonly locks?: { request(name: string, held: () => Promise<never>): Promise<never> };
  };
}
