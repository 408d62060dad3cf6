import { ConfigurationError } from "../../../runtime/message/errors.ts";
import type { MethodTable, SocketRequest } from "./socket.ts";

/** A method, with the service that serves it. */
export interface SocketMethod {
  /** Name for messages, such as `chat.say`. */
  readonly name: string;
  readonly service: string;
  /**
   * Owner of the method. A newer owner's methods replace the methods of an older owner of the same service.
   */
  readonly owner: unknown;
  /** Runs a request and returns the answer to send. Never rejects. */
  handle(request: SocketRequest): Promise<string>;
}

/** The methods of all services at one path. */
export class SocketMethods implements MethodTable {
  readonly #path: string;
  /** The methods by name. The method of the newest owner is the first in its list. */
  readonly #methods = new Map<unknown, readonly SocketMethod[]>();

  constructor(path: string) {
    this.#path = path;
  }

  find(method: unknown): SocketMethod | undefined {
    return this.#methods.get(method)?.[0];
  }

  /**
   * Adds a method.
   *
   * @throws {ConfigurationError} If another service, or the same owner, has a method of that name.
   */
  add(method: string, target: SocketMethod): void {
    const others = this.#methods.get(method) ?? [];
    const other = others.find(({ service, owner }) => service !== target.service || owner === target.owner);
    if (other !== undefined) {
      throw new ConfigurationError(
        `Cannot serve WebSocket method "${method}" twice at ${this.#path}: ${other.name} and ${target.name} have it. ` +
          "Give one of them another path",
      );
    }
    this.#methods.set(method, [target, ...others]);
  }

  /** Removes the methods of an owner. */
  remove(owner: unknown): void {
    for (const [method, targets] of this.#methods) {
      this.#methods.set(method, targets.filter((target) => target.owner !== owner));
    }
  }
}
