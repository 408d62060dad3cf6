/** A Sentry that keeps the events that it gets. */

/** An event, as far as tests look at it. */
export interface ReceivedEvent {
  readonly event_id: string;
  readonly level: string;
  readonly logger: string;
  readonly environment?: string;
  readonly release?: string;
  readonly server_name?: string;
  readonly logentry: { readonly formatted: string };
  readonly exception: {
    readonly values: readonly {
      readonly type: string;
      readonly value: string;
      readonly mechanism: { readonly handled: boolean };
      readonly stacktrace?: {
        readonly frames: readonly { readonly filename: string; readonly in_app: boolean }[];
      };
    }[];
  };
  readonly tags: Readonly<Record<string, string>>;
  readonly user: Readonly<Record<string, unknown>>;
  readonly extra: Readonly<Record<string, unknown>>;
  readonly contexts: { readonly trace?: { readonly trace_id: string; readonly span_id: string } };
}

export class SentryReceiver implements AsyncDisposable {
  readonly events: ReceivedEvent[] = [];
  readonly texts: string[] = [];
  readonly keys = new Set<string | undefined>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #more = Promise.withResolvers<void>();

  /** @param answer Answers each envelope. @default {it is taken} */
  constructor(answer: () => Response | Promise<Response> = () => Response.json({})) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
      const text = await request.text();
      const [head, item, event] = text.split("\n").map((line) => JSON.parse(line));
      if (new URL(request.url).pathname !== "/sub/api/7/envelope/" || item.type !== "event") {
        return new Response(null, { status: 400 });
      }
      this.keys.add(/sentry_key=(\w+)/.exec(request.headers.get("x-sentry-auth") ?? "")?.[1]);
      if (head.event_id === event.event_id) this.events.push(event);
      this.texts.push(text);
      this.#more.resolve();
      this.#more = Promise.withResolvers();
      return await answer();
    });
  }

  get dsn(): string {
    return `http://publickey@127.0.0.1:${this.#server.addr.port}/sub/7`;
  }

  /** Resolves with the first event that fits. */
  async event(fits: (event: ReceivedEvent) => boolean): Promise<ReceivedEvent> {
    for (;;) {
      const found = this.events.find(fits);
      if (found !== undefined) return found;
      await this.#more.promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
