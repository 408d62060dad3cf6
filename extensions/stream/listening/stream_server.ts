import type { Log } from "../../../runtime/log/log.ts";
import type { Conversation } from "../conversation/conversation.ts";
import type { PortShare } from "../../http/listening/shared_port.ts";
import type { StreamSettings } from "../settings.ts";
import { openListener } from "./open_listener.ts";
import type { StreamAddress } from "./stream_address.ts";
import { StreamListener, type StreamTarget } from "./stream_listener.ts";

/** The streams of all services of a process. */
export class StreamServer {
  readonly settings: StreamSettings;
  readonly #log: Log;
  readonly #share: PortShare | undefined;
  readonly #listeners = new Map<string, Promise<StreamListener>>();
  readonly #open = new Map<string, StreamListener>();

  /** @param share The place of the process among those that share the addresses. @default {they are its own} */
  constructor(settings: StreamSettings, log: Log, share?: PortShare) {
    this.settings = settings;
    this.#log = log;
    this.#share = share;
  }

  /** The addresses that are listened on. */
  get addresses(): readonly string[] {
    return [...this.#open.values()].map(({ address }) => address);
  }

  /** Numbers of the connections of all streams. A stream is named by its address, or by the key that has it. */
  get counts(): readonly { readonly service: string; readonly stream: string; readonly count: number }[] {
    return [...this.#open].map(([key, { conversations: { size: count } }]) => {
      const space = key.indexOf(" ");
      return { service: key.slice(0, space), stream: key.slice(space + 1).replace(/^config /, ""), count };
    });
  }

  /**
   * Listens on an address, or goes on with the connections of a former version of the service.
   *
   * Clients may connect at once. Their connections are taken when all services run.
   *
   * @throws {ConfigurationError} If the address cannot be used.
   */
  async add(service: string, stream: string, address: StreamAddress, target: StreamTarget): Promise<void> {
    const key = keyOf(service, stream);
    const listener = await (this.#listeners.get(key) ?? this.#listen(key, address));
    listener.add(target);
  }

  /** Takes connections at all addresses. Idempotent. */
  accept(): void {
    for (const listener of this.#open.values()) listener.accept();
  }

  /**
   * Ends what an owner has of the streams of its service. An address that nobody else has is closed. Resolves
   * after the `lost` of the connections that end.
   */
  async remove(service: string, owner: unknown): Promise<void> {
    const removals = [...this.#open].filter(([key]) => key.startsWith(keyOf(service, ""))).map(
      async ([key, listener]) => {
        const removal = listener.remove(owner);
        // Whoever comes from now on has to listen anew.
        if (listener.isClosed) this.#listeners.delete(key);
        await removal;
        if (listener.isClosed && this.#open.get(key) === listener) this.#open.delete(key);
      },
    );
    await Promise.all(removals);
  }

  /** Ends at once all connections that only this owner serves. */
  abort(service: string, owner: unknown): void {
    for (const [key, listener] of this.#open) if (key.startsWith(keyOf(service, ""))) listener.abort(owner);
  }

  /** Returns a connection of a service. */
  find(service: string, id: string): Conversation | undefined {
    for (const [key, { conversations }] of this.#open) {
      const found = key.startsWith(keyOf(service, "")) ? conversations.get(id) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Returns the connections of a stream of a service. */
  connections(service: string, stream: string): readonly Conversation[] {
    return [...this.#open.get(keyOf(service, stream))?.conversations.values() ?? []];
  }

  #listen(key: string, address: StreamAddress): Promise<StreamListener> {
    const opening = (async () => {
      try {
        const listener = new StreamListener(
          address.scheme,
          await openListener(address, { ...this.settings, share: this.#share }),
          this.#log,
        );
        this.#open.set(key, listener);
        return listener;
      } catch (error) {
        this.#listeners.delete(key);
        throw error;
      }
    })();
    this.#listeners.set(key, opening);
    return opening;
  }
}

/** A service's name has no white space, so no key is the beginning of another service's key. */
function keyOf(service: string, stream: string): string {
  return `${service} ${stream}`;
}
