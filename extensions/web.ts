/** Makes the HTTP server of a process, and the one that answers about the process alone. */
import type { Log } from "../runtime/log/log.ts";
import type { Manifest } from "../runtime/service/manifest.ts";
import type { Telemetry } from "../runtime/telemetry/telemetry.ts";
import type { OwnPages } from "./http/health/own_pages.ts";
import type { ServedDocument } from "./http/openapi/document_route.ts";
import type { DocsHalf, DocsRoute } from "./http/openapi/docs_route.ts";
import type { HttpServer } from "./http/server.ts";
import type { HttpSettings } from "./http/settings.ts";
import type { Settings } from "./settings.ts";

/** The server that all services share. */
export interface Web {
  readonly server: HttpServer;
  /** The documents about the services, and the page that shows them. */
  readonly documents: readonly { addTo(server: HttpServer): void }[];
}

/** What both servers need. */
export interface WebOptions {
  readonly settings: Settings;
  readonly telemetry: Telemetry;
  /** Gives the manifests of the services that run. */
  readonly manifests: () => readonly Manifest[];
  /** Gives the reasons why the process cannot do its work; none if it can. */
  readonly unready: () => readonly string[];
  readonly log: Log;
}

/** Makes the server that all services share. It does not listen yet. */
export async function createWeb(options: WebOptions): Promise<Web> {
  const { settings, telemetry, manifests, log } = options;
  const [{ HttpServer }, { AccessLog }, { httpSettings }, { RequestCounts }, { WEB_ADDRESS }] = await Promise
    .all([
      import("./http/server.ts"),
      import("./http/access_log.ts"),
      import("./http/settings.ts"),
      import("./http/request_counts.ts"),
      import("./http/listening/listen_address.ts"),
    ]);
  const known = settings.of(httpSettings);
  const server = new HttpServer({
    ...known,
    log,
    ...(settings.runtime.telemetry && {
      trace: (given) => telemetry.traceRequest(given),
      counts: new RequestCounts(telemetry.metrics),
    }),
    accessLog: new AccessLog(),
    own: await ownPages(options, known.health, settings.health.metrics),
    setting: WEB_ADDRESS,
    share: settings.place?.share,
  });
  const served = await servedDocuments(known, options);
  if (served.length === 0) return { server, documents: [] };
  const { DocumentRoute } = await import("./http/openapi/document_route.ts");
  const documents = served.map((each) => new DocumentRoute(manifests, each));
  return { server, documents: [...documents, ...await docsRoutes(known, manifests)] };
}

async function docsRoutes(
  known: HttpSettings,
  manifests: WebOptions["manifests"],
): Promise<readonly DocsRoute[]> {
  if (known.docs === undefined) return [];
  const [{ DocsRoute }, { loadPart }] = await Promise.all([
    import("./http/openapi/docs_route.ts"),
    import("./optional_halves.ts"),
  ]);
  const { docsFile } = await loadPart<DocsHalf>("docs", "serve the page of HTTP_DOCS", "that page");
  return [new DocsRoute(manifests, known.docs, known, docsFile)];
}

async function servedDocuments(
  { openapi, asyncapi }: HttpSettings,
  { settings, log }: WebOptions,
): Promise<readonly ServedDocument[]> {
  const served: ServedDocument[] = [];
  if (openapi !== undefined) {
    const { servedOpenApi } = await import("./http/openapi/served_document.ts");
    served.push(servedOpenApi(openapi, log));
  }
  if (asyncapi !== undefined) {
    const { describeMessages } = await import("./message_document.ts");
    served.push({
      name: "the AsyncAPI document",
      path: asyncapi.path,
      kinds: ["http", "websocket"],
      make: (manifests) => describeMessages(manifests, settings, asyncapi),
    });
  }
  return served;
}

/**
 * Begins to answer about the process, if `HEALTH_ADDRESS` is set.
 *
 * @throws {ConfigurationError} If the server cannot listen there.
 */
export async function openHealth(options: WebOptions): Promise<HttpServer | undefined> {
  const { settings, log } = options;
  const { apart } = settings.health;
  if (apart === undefined) return undefined;
  const [{ openHealthServer }, { httpSettings }] = await Promise.all([
    import("./http/health/health_server.ts"),
    import("./http/settings.ts"),
  ]);
  const own = await ownPages(options, true, apart.metrics);
  return await openHealthServer(settings.of(httpSettings), apart.address, own, log, settings.place?.ownShare);
}

async function ownPages(
  { telemetry: { metrics }, unready }: WebOptions,
  health: boolean,
  path: string | undefined,
): Promise<OwnPages> {
  const { OwnPages } = await import("./http/health/own_pages.ts");
  if (path === undefined) return new OwnPages({ health, unready });
  const { prometheusText } = await import("./metrics/prometheus_text.ts");
  return new OwnPages({ health, unready, metrics: { path, text: () => prometheusText(metrics.collect()) } });
}
