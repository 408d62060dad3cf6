/** Random values that are the same for the same seed, and prefer what programs stumble over. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Makes another one that goes on with the same values. */
  clone(): Random {
    return new Random(this.#state);
  }

  /** Returns a number from 0 to below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns an integer from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Returns one of some values. */
  pick<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)]!;
  }

  /** Returns a length up to `most`: short lengths are likely, and long ones are not rare. */
  length(most: number): number {
    return Math.floor(most ** this.next());
  }

  /** Returns a text of pieces that mean something to some reader. */
  text(most: number): string {
    const length = this.length(most);
    let text = "";
    while (text.length < length) {
      text += this.below(4) === 0 ? String.fromCharCode(this.below(0x300)) : this.pick(PIECES);
    }
    return text.slice(0, length);
  }

  /** Returns bytes, of which some are cut or changed texts. */
  bytes(most: number): Uint8Array<ArrayBuffer> {
    if (this.below(2) === 0) {
      const bytes = new TextEncoder().encode(this.text(most));
      for (let changes = this.below(4); changes > 0 && bytes.length > 0; changes--) {
        bytes[this.below(bytes.length)] = this.below(256);
      }
      return bytes;
    }
    return Uint8Array.from({ length: this.length(most) }, () => this.below(256));
  }

  /** Returns a value that JSON can carry, at most `depth` levels deep. */
  json(depth: number): unknown {
    const kind = this.below(depth > 0 ? 8 : 5);
    switch (kind) {
      case 0:
        return null;
      case 1:
        return this.below(2) === 0;
      case 2:
        return this.pick([0, -0, 1, -1, 2 ** 31, 2 ** 53, 1e308, 5e-324, this.next() * 1e6]);
      case 3:
      case 4:
        return this.text(40);
      case 5:
        return Array.from({ length: this.below(5) }, () => this.json(depth - 1));
      default:
        return Object.fromEntries(
          Array.from({ length: this.below(5) }, () => [this.pick(KEYS), this.json(depth - 1)]),
        );
    }
  }
}

/**
 * Lists texts that a scan hates which starts anew at each place: something that begins a match, then a long row of what
 * may be a part of it, then something that ends it in failure.
 */
export function* rows(length: number): Generator<string> {
  for (const first of ["", ...ROW]) {
    for (const unit of ROW) {
      yield (first + unit.repeat(Math.ceil(length / unit.length))).slice(0, length - 1) + "!";
    }
  }
}

const ROW = [
  " ",
  "/",
  "-",
  "a",
  "a-",
  "=",
  "a=",
  ".",
  ":",
  "@",
  '"',
  "\\",
  "%",
  "%2F",
  "0",
  "NaN",
  "{",
  "[",
  "://",
  "\n",
  '\\"',
  'NaN"',
];

/** Keys that mean something to a reader, or to JavaScript itself. */
const KEYS = [
  ...["args", "kwargs", "result", "error", "exc_type", "exc_path", "value", "data", "code", "method", "type"],
  ...["__proto__", "constructor", "toString", "then", "length", "", "nameko.call_id_stack", "enoki_deadline"],
];

/** Texts that are special to one of the readers. */
const PIECES = [
  ...[
    " ",
    "\t",
    "\n",
    "\r\n",
    "\0",
    "/",
    "//",
    "\\",
    ".",
    "..",
    "-",
    "a-",
    "=",
    "a=",
    ":",
    "://",
    "@",
    "?",
    "#",
    "%",
  ],
  ...[
    "%2",
    "%2F",
    "&",
    ";",
    ",",
    '"',
    "'",
    "`",
    "{",
    "}",
    "[",
    "]",
    "<int:a>",
    "<",
    ">",
    "$",
    "${",
    "${A:",
    "*",
  ],
  ...["NaN", "Infinity", "-Infinity", "-0", "1e999", "0x", "null", "true", "\\u", "\\ud800", '\\"', "\ufeff"],
  ...[
    "password=",
    "token=",
    "amqp://u:p@h",
    "http://a.b/c",
    "application/json",
    "charset=",
    "é",
    "😀",
    "\ud800",
  ],
  ...[
    '{"args":[],"kwargs":{}}',
    '{"result":1,"error":null}',
    '{"type":"event"',
    "- a",
    "a: b",
    "&a ",
    "*a",
    "!!",
    "|",
  ],
];
