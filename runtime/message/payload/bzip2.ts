/**
 * Reads bzip2, which neither Deno nor Node have. The library is loaded with the first body that needs it.
 *
 * A hostile body must not keep a thread: each block takes memory and time as if it were full, however little is in it.
 * A compressor fills all blocks but the last one, so a block behind a block that is not full ends the reading. Then the
 * limit of the output limits the number of blocks, and the time is limited, too, because a block can be made to take
 * about 0.4 seconds. The library reads zeros behind the end of its input without end; here, that is an error.
 */

/** Milliseconds that one body may take. Honest ones take about 1 s for each 16 MiB. */
const TIME_LIMIT = 10_000;

/** The part of a block's size that the output of a full block has at least: runs may be written longer than they are. */
const LEAST_PART = 0.75;

/**
 * Decompresses bzip2.
 *
 * @param limit The most bytes that the result may have.
 * @throws {Error} If the bytes are no bzip2 data, if the result has more bytes, or if it takes too long.
 */
export async function decompressBzip2(
  bytes: Uint8Array,
  limit: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { default: Bunzip } = await import("npm:seek-bzip@2.0.0") as unknown as {
    readonly default: BunzipClass;
  };
  const input = new Input(bytes);
  const output = new Output(limit);
  const bunzip = new Bunzip(input, output);
  const end = performance.now() + TIME_LIMIT;
  let isFull = true;
  while (bunzip._init_block()) {
    if (!isFull) throw new Error("a block follows one that is not full, which no compressor writes");
    if (performance.now() > end) {
      throw new Error(
        `it takes more than ${TIME_LIMIT / 1_000} s to decompress. Send smaller messages, or gzip`,
      );
    }
    const before = output.size;
    bunzip._read_bunzip();
    isFull = output.size - before >= LEAST_PART * bunzip.dbufSize;
  }
  if ((bunzip.reader.read(32) >>> 0) !== bunzip.streamCRC) throw new Error("its checksum is wrong");
  return output.bytes;
}

/** The error for a body that would become larger than is allowed. */
export class OversizedBody extends Error {
  constructor(limit: number) {
    super(
      `its body has more than ${limit} bytes when it is decompressed. ` +
        "Send smaller messages, or raise decompressed_limit",
    );
  }
}

class Input {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Reads the magic number. */
  read(target: Uint8Array, offset: number, length: number): number {
    for (let index = 0; index < length; index++) target[offset + index] = this.readByte();
    return length;
  }

  readByte(): number {
    const byte = this.#bytes[this.#position++];
    if (byte === undefined) throw new Error("it ends too early");
    return byte;
  }
}

class Output {
  readonly #limit: number;
  #buffer = new Uint8Array(16_384);
  size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.size);
  }

  writeByte(byte: number): void {
    if (this.size === this.#buffer.length) this.#grow();
    this.#buffer[this.size++] = byte;
  }

  #grow(): void {
    if (this.size >= this.#limit) throw new OversizedBody(this.#limit);
    const larger = new Uint8Array(Math.min(this.size * 2, this.#limit));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}

/** What of the library is used. It has no types, and a test holds its version to this. */
type BunzipClass = new (input: Input, output: Output) => {
  readonly dbufSize: number;
  readonly streamCRC: number;
  readonly reader: { read(bits: number): number };
  /** Reads a block; false at the end of the stream. */
  _init_block(): boolean;
  /** Writes the block. */
  _read_bunzip(): void;
};
