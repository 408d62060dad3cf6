/**
 * Requests to a Bayeux server: each takes a list of messages to it by HTTP, and brings a list of messages back.
 *
 * The server is not trusted: an answer has a limit in size and time, a redirection is not followed, because the
 * request has a token, and what is no message is left out. No error has the token, nor the query of the URI.
 */
import { timeLimit } from "../../runtime/waiting/abort.ts";
import { isRecord } from "../../runtime/message/plain.ts";
import { MASK, maskTextSecrets } from "../../runtime/log/secrets.ts";
import { BayeuxError } from "./bayeux_error.ts";
import { Cookies } from "./cookies.ts";
import type { BayeuxSettings } from "./settings.ts";

/** A message of the server. Nothing but its channel is checked. */
export interface ServerMessage {
  readonly channel: string;
  readonly [field: string]: unknown;
}

/** Options of {@linkcode Exchange.post}. */
export interface PostOptions {
  /** Milliseconds that the server has to answer. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** Shortest text that is masked. A shorter one is no secret, and would be found in any text. */
const LEAST_SECRET = 4;

/** Posts messages to one server. */
export class Exchange {
  /** The URI as people may see it. */
  readonly server: string;
  readonly #settings: BayeuxSettings;
  readonly #cookies = new Cookies();
  readonly #secrets: readonly string[];

  constructor(settings: BayeuxSettings) {
    this.#settings = settings;
    this.server = `${settings.server.origin}${settings.server.pathname}`;
    this.#secrets = secretsOf(settings);
  }

  /** @throws {BayeuxError} If the server cannot be reached, or its answer is not what it has to be. */
  async post(
    messages: readonly unknown[],
    { limit, signal }: PostOptions,
  ): Promise<readonly ServerMessage[]> {
    using time = timeLimit(limit, signal);
    try {
      const text = await this.#send(JSON.stringify(messages), time.signal);
      return this.#read(text);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof BayeuxError) throw error;
      const reason = time.signal.aborted
        ? `no answer within ${limit} ms`
        : this.hide(reasonOf(error as Error));
      throw new BayeuxError(`Cannot reach the Bayeux server at ${this.server}: ${reason}`, {
        answered: false,
        reconnect: "retry",
      });
    }
  }

  /** Masks the secrets of the configuration in a text that came from the server. */
  hide(text: string): string {
    const hidden = this.#secrets.reduce((rest, secret) => rest.replaceAll(secret, MASK), text);
    return maskTextSecrets(hidden);
  }

  async #send(body: string, signal: AbortSignal): Promise<string> {
    const { server, authorization, maxResponse } = this.#settings;
    const cookie = this.#cookies.header;
    const response = await fetch(server, {
      method: "POST",
      redirect: "manual",
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        ...(authorization !== undefined && { authorization }),
        ...(cookie !== undefined && { cookie }),
      },
      body,
      signal,
    });
    this.#cookies.take(response.headers);
    if (!response.ok) {
      await response.body?.cancel();
      throw this.#fault(`answers with HTTP ${response.status}${wayOut(response.status)}`);
    }
    return await this.#text(response, maxResponse);
  }

  async #text(response: Response, most: number): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > most) throw this.#fault(`has sent an answer of more than ${most} bytes. See MAX_RESPONSE`);
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  }

  #read(text: string): readonly ServerMessage[] {
    let answer: unknown;
    try {
      answer = JSON.parse(text);
    } catch {
      throw this.#fault("has sent an answer that is not JSON. Check SERVER_URI");
    }
    const messages = Array.isArray(answer) ? answer : [answer];
    return messages.filter((message) => isRecord(message) && typeof message["channel"] === "string");
  }

  #fault(what: string): BayeuxError {
    return new BayeuxError(`Cannot use the Bayeux server at ${this.server}: it ${what}`, {
      answered: true,
      reconnect: "retry",
    });
  }
}

function wayOut(status: number): string {
  if (status === 401 || status === 403) return ". Check AUTHORIZATION in the configuration's BAYEUX";
  if (status === 404 || status === 405) return ". Check SERVER_URI in the configuration's BAYEUX";
  return status >= 300 && status < 400 ? ", a redirection. Set SERVER_URI to where it leads" : "";
}

/** What `fetch` puts in front of a reason, the URI among it, and the number behind it. */
const PREFIXES =
  /^(?:error sending request for url \(.*?\): |client error \(\w+\): |(?:tcp connect|dns) error: )+/s;
const NUMBER = / \(os error \d+\)$/;

/** Says why a request has failed, without its URI. */
function reasonOf(error: Error): string {
  const text = error.cause instanceof Error ? error.cause.message : error.message;
  const reason = text.replace(PREFIXES, "").replace(NUMBER, "");
  return reason.charAt(0).toLowerCase() + reason.slice(1);
}

function secretsOf({ authorization, ext }: BayeuxSettings): readonly string[] {
  const texts: string[] = [];
  const collect = (value: unknown): void => {
    if (typeof value === "string") texts.push(value);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(collect);
  };
  collect(ext);
  if (authorization !== undefined) texts.push(authorization, ...authorization.split(" ").slice(1));
  return texts.filter((text) => text.length >= LEAST_SECRET).sort((a, b) => b.length - a.length);
}
