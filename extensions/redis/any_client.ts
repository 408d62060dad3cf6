/**
 * The client library's clients, as far as Enoki itself uses them.
 *
 * The library's own types have thousands of members, in many generic forms. Where a compiler has to compare two of
 * them, it takes 20 seconds.
 */
import type { Buffer } from "node:buffer";
import type { EventEmitter } from "node:events";

/** A client of the library, for a single Redis or for a cluster. */
export type AnyRedisClient = SingleClient | ClusterClient;

/** What one command is sent with. */
interface SendOptions {
  readonly typeMapping?: Readonly<Record<number, typeof Buffer>>;
}

/** Receives a message, and the name of its channel. */
type MessageListener = (message: string | Uint8Array, channel: string | Uint8Array) => void;

interface CommonClient extends EventEmitter {
  destroy(): void;
  withTypeMapping(mapping: Readonly<Record<number, typeof Buffer>>): object;
  subscribe(channel: string, listener: MessageListener, isBytes: boolean): Promise<void>;
  unsubscribe(channel: string, listener: MessageListener, isBytes: boolean): Promise<void>;
  pSubscribe(pattern: string, listener: MessageListener, isBytes: boolean): Promise<void>;
  pUnsubscribe(pattern: string, listener: MessageListener, isBytes: boolean): Promise<void>;
}

interface SingleClient extends CommonClient {
  sendCommand(parts: readonly (string | Buffer)[], options: SendOptions): Promise<unknown>;
}

interface ClusterClient extends CommonClient {
  readonly slots: unknown;
  sendCommand(
    key: string | undefined,
    isReadonly: undefined,
    parts: readonly (string | Buffer)[],
    options: SendOptions,
  ): Promise<unknown>;
}
