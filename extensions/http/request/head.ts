/** Names and values in turn: the cheapest form to cross a thread. */
export type FlatHeaders = readonly string[];

/** What the thread gets of a request beside its body. */
export interface RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: FlatHeaders;
  /** The rule's variables, converted. */
  readonly params: Readonly<Record<string, string | number>>;
  /** The request's id, its own or one made for it. */
  readonly id: string;
}

/** What main gets of a response beside its body. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: FlatHeaders;
}

/** One text for a head, a line for each part: no part can have a line break. */
export function encodeRequestHead({ method, url, id, params, headers }: RequestHead): string {
  return `${method}\n${url}\n${id}\n${JSON.stringify(params)}\n${headers.join("\n")}`;
}

/** The head of a text. */
export function decodeRequestHead(text: string): RequestHead {
  const [method, url, id, params, ...headers] = text.split("\n");
  return { method: method!, url: url!, id: id!, params: JSON.parse(params!), headers };
}

/** One text for a head, a line for each part. */
export function encodeResponseHead({ status, headers }: ResponseHead): string {
  return headers.length === 0 ? `${status}` : `${status}\n${headers.join("\n")}`;
}

/** The head of a text. */
export function decodeResponseHead(text: string): ResponseHead {
  const [status, ...headers] = text.split("\n");
  return { status: Number(status), headers };
}

/** The value of a header by its name in small letters; undefined if there is none. */
export function headerOf(headers: FlatHeaders, name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === name) return headers[index + 1];
  }
  return undefined;
}

/** The pairs that web standards take. */
export function headerPairs(headers: FlatHeaders): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index < headers.length; index += 2) pairs.push([headers[index]!, headers[index + 1]!]);
  return pairs;
}
