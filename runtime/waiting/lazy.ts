/** A value that is made when the first caller asks for it, and that all callers share. */
export class Lazy<Value> {
  readonly #make: () => Promise<Value>;
  #making: Promise<Value> | undefined;
  #value: Value | undefined;

  constructor(make: () => Promise<Value>) {
    this.#make = make;
  }

  /** The value; undefined if nobody has asked for it, or if it is not ready. */
  get value(): Value | undefined {
    return this.#value;
  }

  /** Makes the value, unless a caller has asked before. If that fails, `get` rejects for all callers. */
  get(): Promise<Value> {
    return this.#making ??= this.#make().then((value) => this.#value = value);
  }

  /** Waits for the value. Gives undefined if nobody has asked for the value, or if the making failed. */
  async settled(): Promise<Value | undefined> {
    return await this.#making?.catch(() => undefined);
  }
}
