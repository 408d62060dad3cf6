import type { Log } from "../../../runtime/log/log.ts";
import type { Manifest, ManifestEntrypoint } from "../../../runtime/service/manifest.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import { openApiDocument } from "./document.ts";
import { completeResponse, type OutgoingResponse } from "../response/outgoing_response.ts";
import { parseRule } from "../routing/rule.ts";
import type { HttpServer } from "../server.ts";
import type { OpenApiSettings } from "../settings.ts";
import type { IncomingRequest, RequestHandler } from "../request_handler.ts";

/**
 * Answers with the OpenAPI document of the services that run. When other services run than before, it makes
 * the document anew.
 */
export class OpenApiRoute implements RequestHandler {
  readonly name = "the OpenAPI document";
  /** The route belongs to no service: no service has an empty name. */
  readonly service = "";
  readonly owner = this;
  readonly #manifests: () => readonly Manifest[];
  readonly #options: OpenApiSettings;
  readonly #log: Log;
  #described: readonly Manifest[] = [];
  #document: PlainRecord = {};
  #isAdded = false;

  /** @param manifests Returns the manifests of the services that run now, with details. */
  constructor(manifests: () => readonly Manifest[], options: OpenApiSettings, log: Log) {
    this.#manifests = manifests;
    this.#options = options;
    this.#log = log;
  }

  /**
   * Adds the route to the server as soon as there are HTTP routes to describe. For the document alone, no
   * server needs to listen.
   *
   * @throws {ConfigurationError} If a service has the same rule.
   */
  addTo(server: HttpServer): void {
    const isRoute = ({ kind }: ManifestEntrypoint) => kind === "http";
    if (this.#isAdded || !this.#manifests().some(({ entrypoints }) => entrypoints.some(isRoute))) return;
    server.add(["GET"], parseRule(this.#options.path), this);
    this.#isAdded = true;
  }

  handle({ request }: IncomingRequest): Promise<OutgoingResponse> {
    const { origin } = new URL(request.url);
    const { servers = /^https?:/.test(origin) ? [origin] : [] } = this.#options;
    const document = {
      ...this.#current(),
      ...(servers.length > 0 && { servers: servers.map((url) => ({ url })) }),
    };
    const head = { status: 200, headers: ["content-type", "application/json"] };
    return Promise.resolve(completeResponse(head, JSON.stringify(document)));
  }

  #current(): PlainRecord {
    const manifests = this.#manifests();
    const isSame = manifests.length === this.#described.length &&
      manifests.every((manifest, index) => manifest === this.#described[index]);
    if (isSame) return this.#document;
    this.#described = manifests;
    return this.#document = openApiDocument(manifests, {
      ...this.#options,
      onOmission: (message) => this.#log.warning(message),
    });
  }
}
