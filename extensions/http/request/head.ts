/** Names and values of headers in turn. This form is the cheapest to send from one thread to another. */
export type FlatHeaders = readonly string[];

/** All that a thread receives of a request, except the body. */
export interface RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: FlatHeaders;
  /** The variables of the rule, converted. */
  readonly params: Readonly<Record<string, string | number>>;
  /** Id of the request: the client's own, or one that the server made. */
  readonly id: string;
}

/** All that the main thread receives of a response, except the body. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: FlatHeaders;
}

/** Encodes a head as one text, with a line for each part. No part can contain a line break. */
export function encodeRequestHead({ method, url, id, params, headers }: RequestHead): string {
  return `${method}\n${url}\n${id}\n${JSON.stringify(params)}\n${headers.join("\n")}`;
}

/** Decodes a text of {@linkcode encodeRequestHead}. */
export function decodeRequestHead(text: string): RequestHead {
  const [method, url, id, params, ...headers] = text.split("\n");
  return { method: method!, url: url!, id: id!, params: JSON.parse(params!), headers };
}

/** Encodes a head as one text, with a line for each part. */
export function encodeResponseHead({ status, headers }: ResponseHead): string {
  return headers.length === 0 ? `${status}` : `${status}\n${headers.join("\n")}`;
}

/** Decodes a text of {@linkcode encodeResponseHead}. */
export function decodeResponseHead(text: string): ResponseHead {
  const [status, ...headers] = text.split("\n");
  return { status: Number(status), headers };
}

/** Returns the value of a header by its name in small letters; undefined if there is none. */
export function headerOf(headers: FlatHeaders, name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === name) return headers[index + 1];
  }
  return undefined;
}

/** Returns headers as the pairs that web standards take. */
export function headerPairs(headers: FlatHeaders): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index < headers.length; index += 2) pairs.push([headers[index]!, headers[index + 1]!]);
  return pairs;
}
