/** The part of a socket that the hub uses. */
export interface Receiver {
  readonly id: string;
  send(frame: string): void;
}

interface Member {
  readonly socket: Receiver;
  readonly channels: Set<string>;
}

/**
 * The sockets of the process and their channels, in the main thread.
 *
 * All methods are synchronous: a frame that is sent here is on its way before the message that a thread posts
 * next.
 */
export class Hub {
  readonly #members = new Map<string, Member>();
  readonly #subscribers = new Map<string, Set<Receiver>>();

  add(socket: Receiver): void {
    this.#members.set(socket.id, { socket, channels: new Set() });
  }

  /** Removes a socket with all its subscriptions. */
  remove({ id }: Receiver): void {
    for (const channel of this.subscriptions(id)) this.unsubscribe(id, channel);
    this.#members.delete(id);
  }

  /** Subscribes a socket to a channel. Returns whether there is such a socket. */
  subscribe(socketId: string, channel: string): boolean {
    const member = this.#members.get(socketId);
    if (member === undefined) return false;
    member.channels.add(channel);
    const subscribers = this.#subscribers.get(channel);
    if (subscribers === undefined) this.#subscribers.set(channel, new Set([member.socket]));
    else subscribers.add(member.socket);
    return true;
  }

  /** Ends the subscription of a socket to a channel. Returns whether there is such a socket. */
  unsubscribe(socketId: string, channel: string): boolean {
    const member = this.#members.get(socketId);
    if (member === undefined) return false;
    member.channels.delete(channel);
    const subscribers = this.#subscribers.get(channel);
    if (subscribers?.delete(member.socket) && subscribers.size === 0) this.#subscribers.delete(channel);
    return true;
  }

  /** Returns the channels of a socket, sorted. */
  subscriptions(socketId: string): readonly string[] {
    return [...this.#members.get(socketId)?.channels ?? []].sort();
  }

  broadcast(channel: string, frame: string): void {
    // The loop uses a copy, because a client that the server gives up during `send()` leaves the set.
    for (const socket of [...this.#subscribers.get(channel) ?? []]) socket.send(frame);
  }

  /** Sends a frame to one socket. Returns whether there is such a socket. */
  unicast(socketId: string, frame: string): boolean {
    const member = this.#members.get(socketId);
    member?.socket.send(frame);
    return member !== undefined;
  }
}
