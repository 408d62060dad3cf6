import type { Manifest, ManifestEntrypoint } from "../../../runtime/service/manifest.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import { completeResponse, type OutgoingResponse } from "../response/outgoing_response.ts";
import { parseRule } from "../routing/rule.ts";
import type { HttpServer } from "../server.ts";
import type { IncomingRequest, RequestHandler } from "../request_handler.ts";

/** A document that describes the services that run. */
export interface ServedDocument {
  /** Name such as `the OpenAPI document`. */
  readonly name: string;
  /** Path at which the server offers the document. */
  readonly path: string;
  /** Kinds of entrypoints for which the server listens, so that it can offer the document. */
  readonly kinds: readonly string[];
  /** Makes the document from the manifests of the services, with details. */
  make(manifests: readonly Manifest[]): PlainRecord;
  /** Adds what depends on the place that the document was requested from. @default {nothing does} */
  complete?(document: PlainRecord, origin: string): PlainRecord;
}

/**
 * Answers with a document about the services that run. When other services run than before, it makes the document
 * anew.
 */
export class DocumentRoute implements RequestHandler {
  readonly name: string;
  /** The route belongs to no service: no service has an empty name. */
  readonly service = "";
  readonly owner = this;
  readonly #manifests: () => readonly Manifest[];
  readonly #served: ServedDocument;
  #described: readonly Manifest[] | undefined;
  #document: PlainRecord | undefined;
  #isAdded = false;

  /** @param manifests Returns the manifests of the services that run now, with details. */
  constructor(manifests: () => readonly Manifest[], served: ServedDocument) {
    this.name = served.name;
    this.#manifests = manifests;
    this.#served = served;
  }

  /**
   * Adds the route to the server as soon as there is an entrypoint that the server listens for. For the document alone,
   * no server needs to listen.
   *
   * @throws {ConfigurationError} If a service has the same rule.
   */
  addTo(server: HttpServer): void {
    const { kinds, path } = this.#served;
    const isServed = ({ kind }: ManifestEntrypoint) => kinds.includes(kind);
    if (this.#isAdded || !this.#manifests().some(({ entrypoints }) => entrypoints.some(isServed))) return;
    server.add(["GET"], parseRule(path), this);
    this.#isAdded = true;
  }

  handle({ request }: IncomingRequest): OutgoingResponse {
    const { origin } = new URL(request.url);
    const document = this.#current();
    const head = { status: 200, headers: ["content-type", "application/json"] };
    return completeResponse(head, JSON.stringify(this.#served.complete?.(document, origin) ?? document));
  }

  #current(): PlainRecord {
    const manifests = this.#manifests();
    const isSame = manifests.length === this.#described?.length &&
      manifests.every((manifest, index) => manifest === this.#described![index]);
    if (isSame && this.#document !== undefined) return this.#document;
    this.#document = this.#served.make(manifests);
    this.#described = manifests;
    return this.#document;
  }
}
