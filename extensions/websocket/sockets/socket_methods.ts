import { ConfigurationError } from "../../../runtime/message/errors.ts";
import type { MethodTable, SocketRequest } from "./socket.ts";

/** Where a method leads to. */
export interface SocketMethod {
  /** Such as `chat.say`, for people. */
  readonly name: string;
  readonly service: string;
  /** Whose method it is: a newer owner's methods replace those of an older one of the same service. */
  readonly owner: unknown;
  /** Returns the answer to send. Never rejects. */
  handle(request: SocketRequest): Promise<string>;
}

/** The methods of all services at one path. */
export class SocketMethods implements MethodTable {
  readonly #path: string;
  /** The newest owner's first. */
  readonly #methods = new Map<unknown, readonly SocketMethod[]>();

  constructor(path: string) {
    this.#path = path;
  }

  find(method: unknown): SocketMethod | undefined {
    return this.#methods.get(method)?.[0];
  }

  /** @throws {ConfigurationError} If another service, or the same owner, has a method of that name. */
  add(method: string, target: SocketMethod): void {
    const others = this.#methods.get(method) ?? [];
    const other = others.find(({ service, owner }) => service !== target.service || owner === target.owner);
    if (other !== undefined) {
      throw new ConfigurationError(
        `Cannot serve WebSocket method "${method}" twice at ${this.#path}: ${other.name} and ${target.name} have it. ` +
          "Give one of them a path of its own",
      );
    }
    this.#methods.set(method, [target, ...others]);
  }

  /** Removes an owner's methods. */
  remove(owner: unknown): void {
    for (const [method, targets] of this.#methods) {
      this.#methods.set(method, targets.filter((target) => target.owner !== owner));
    }
  }
}
