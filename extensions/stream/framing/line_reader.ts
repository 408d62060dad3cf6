import { Buffer } from "node:buffer";
import { ByteBuffer } from "./byte_buffer.ts";
import { encodeText, type FrameReader, OversizedFrame, type StreamEncoding } from "./frame.ts";

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** Number of taken blocks after which the list is shortened. */
const LONG = 64;

/**
 * Divides bytes into lines, which end in LF or CRLF. What is not text of the encoding is replaced.
 *
 * Whole lines are decoded together, so no character is ever decoded in two parts: a line end is never a part
 * of a character.
 */
export class LineReader implements FrameReader {
  readonly #limit: number;
  readonly #encoding: StreamEncoding;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** Texts of whole lines. The first has been taken up to `#at`. */
  readonly #blocks: string[] = [];
  #taken = 0;
  #at = 0;
  #whole = 0;
  /** The beginning of a line whose end has not arrived. It is made when the first such line comes. */
  #rest: ByteBuffer | undefined;
  #isOversized = false;

  /** @param limit Bytes that a line may have, without its end. */
  constructor(limit: number, encoding: StreamEncoding) {
    this.#limit = limit;
    this.#encoding = encoding;
  }

  get waiting(): number {
    return this.#whole + (this.#rest?.length ?? 0);
  }

  push(chunk: Uint8Array): void {
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    if (end > 0) this.#take(end === chunk.length ? chunk : chunk.subarray(0, end));
    if (end === chunk.length) return;
    this.#rest ??= new ByteBuffer();
    if (this.#isOversized) return;
    this.#rest.append(end === 0 ? chunk : chunk.subarray(end));
    const { length } = this.#rest;
    if (length <= this.#limit) return;
    // The last byte may be the first half of a line end.
    const isEnding = length === this.#limit + 1 && this.#rest.view[length - 1] === CARRIAGE_RETURN;
    if (!isEnding) this.#isOversized = true;
  }

  next(): string | undefined {
    const block = this.#blocks[this.#taken];
    if (block === undefined) {
      if (this.#isOversized) this.#refuse();
      return undefined;
    }
    const end = block.indexOf("\n", this.#at);
    const line = block.slice(this.#at, block.charCodeAt(end - 1) === CARRIAGE_RETURN ? end - 1 : end);
    this.#whole -= end + 1 - this.#at;
    this.#at = end + 1;
    if (this.#at === block.length) this.#nextBlock();
    if (this.#isTooLong(line)) this.#refuse();
    return line;
  }

  #take(lines: Uint8Array): void {
    if (this.#isOversized) return;
    const rest = this.#rest;
    let text: string;
    if (rest === undefined || rest.length === 0) text = this.#decode(lines);
    else {
      rest.append(lines);
      text = this.#decode(rest.view);
      rest.drop(rest.length);
    }
    this.#blocks.push(text);
    this.#whole += text.length;
  }

  #decode(bytes: Uint8Array): string {
    return this.#encoding === "utf-8"
      ? this.#decoder.decode(bytes)
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  }

  #nextBlock(): void {
    this.#at = 0;
    this.#blocks[this.#taken++] = "";
    if (this.#taken !== this.#blocks.length && this.#taken < LONG) return;
    this.#blocks.splice(0, this.#taken);
    this.#taken = 0;
  }

  #isTooLong(line: string): boolean {
    if (line.length > this.#limit) return true;
    return this.#encoding === "utf-8" && line.length * 3 > this.#limit &&
      encodeText(line, "utf-8").length > this.#limit;
  }

  #refuse(): never {
    throw new OversizedFrame(`a line has more than ${this.#limit} bytes`);
  }
}
