/** A collector of OpenTelemetry that keeps what it gets. */

/** A span, as far as tests look at it. */
export interface ReceivedSpan {
  readonly trace: string;
  readonly id: string;
  readonly parent: string;
  readonly name: string;
  readonly kind: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
  readonly status: string;
  /** Name of the process, as `OTEL_SERVICE_NAME` has it. */
  readonly process: unknown;
}

/** A record of a log. */
export interface ReceivedRecord {
  readonly body: string;
  readonly severity: string;
  readonly trace: string;
  readonly span: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"];

interface OtlpAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly OtlpAttribute[];
  readonly status: { readonly code?: number; readonly message?: string };
}

interface OtlpRecord {
  readonly body: { readonly stringValue: string };
  readonly severityText: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: readonly OtlpAttribute[];
}

interface Resource {
  readonly resource: { readonly attributes: readonly OtlpAttribute[] };
}

interface Exported {
  readonly resourceSpans?: readonly (Resource & {
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  })[];
  readonly resourceLogs?: readonly (Resource & {
    readonly scopeLogs: readonly { readonly logRecords: readonly OtlpRecord[] }[];
  })[];
}

export class Receiver implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];
  readonly records: ReceivedRecord[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #more = Promise.withResolvers<void>();

  constructor() {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
      this.#take(await request.json());
      return Response.json({});
    });
  }

  /** The environment of a process that exports to this collector. */
  env(process: string): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_SERVICE_NAME: process,
      OTEL_BSP_SCHEDULE_DELAY: "50",
      OTEL_BLRP_SCHEDULE_DELAY: "50",
    };
  }

  /** Resolves when `find` finds something in what has come. */
  async until<Found>(find: (receiver: Receiver) => Found | undefined | false): Promise<Found> {
    for (;;) {
      const found = find(this);
      if (found !== undefined && found !== false) return found;
      await this.#more.promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  #take({ resourceSpans = [], resourceLogs = [] }: Exported): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const process = valuesOf(resource.attributes)["service.name"];
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({
          trace: span.traceId,
          id: span.spanId,
          parent: span.parentSpanId,
          name: span.name,
          kind: KINDS[span.kind]!,
          attributes: valuesOf(span.attributes),
          failed: span.status.code === 2,
          status: span.status.message ?? "",
          process,
        });
      }
    }
    for (const { logRecords } of resourceLogs.flatMap(({ scopeLogs }) => scopeLogs)) {
      for (const { body, severityText, traceId, spanId, attributes } of logRecords) {
        this.records.push({
          body: body.stringValue,
          severity: severityText,
          trace: traceId,
          span: spanId,
          attributes: valuesOf(attributes),
        });
      }
    }
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}

function valuesOf(attributes: readonly OtlpAttribute[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
