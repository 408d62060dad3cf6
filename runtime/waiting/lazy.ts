/** Something that is made when somebody first asks for it, and then is the same for all. */
export class Lazy<Value> {
  readonly #make: () => Promise<Value>;
  #making: Promise<Value> | undefined;
  #value: Value | undefined;

  constructor(make: () => Promise<Value>) {
    this.#make = make;
  }

  /** What was made; undefined where nobody has asked for it, or it is not ready. */
  get value(): Value | undefined {
    return this.#value;
  }

  /** Makes it, unless somebody has asked before; rejects for all if that fails. */
  get(): Promise<Value> {
    return this.#making ??= this.#make().then((value) => this.#value = value);
  }

  /** What is made or being made, once it is ready; undefined where nobody has asked, or it has failed. */
  async settled(): Promise<Value | undefined> {
    return await this.#making?.catch(() => undefined);
  }
}
