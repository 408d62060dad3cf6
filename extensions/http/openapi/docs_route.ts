import { posix } from "node:path";
import type { Body } from "../../../runtime/message/reply.ts";
import type { Manifest, ManifestEntrypoint } from "../../../runtime/service/manifest.ts";
import { completeResponse, type OutgoingResponse, plainResponse } from "../response/outgoing_response.ts";
import type { Params } from "../routing/router.ts";
import { parseRule } from "../routing/rule.ts";
import type { HttpServer } from "../server.ts";
import type { HttpSettings } from "../settings.ts";
import type { IncomingRequest, RequestHandler } from "../request_handler.ts";

/**
 * The part of Enoki that has the page. Its type stands here, because the compiler would load the packages of the part
 * if it had to look there.
 */
export interface DocsHalf {
  readonly docsFile: GetDocsFile;
}

/** Gives a file of the page. */
type GetDocsFile = (
  name: string,
  options: {
    readonly openapi: string | undefined;
    readonly asyncapi: string | undefined;
    readonly title: string | undefined;
    readonly folder: string;
    readonly origins: readonly string[];
  },
) => Promise<{ readonly body: Body; readonly headers: Readonly<Record<string, string>> } | undefined>;

/** Answers with the page that shows the documents, and with the files that the page needs. */
export class DocsRoute implements RequestHandler {
  readonly name = "the page of HTTP_DOCS";
  /** The route belongs to no service: no service has an empty name. */
  readonly service = "";
  readonly owner = this;
  readonly #manifests: () => readonly Manifest[];
  readonly #path: string;
  readonly #settings: HttpSettings;
  readonly #get: GetDocsFile;
  #isAdded = false;

  constructor(
    manifests: () => readonly Manifest[],
    path: string,
    settings: HttpSettings,
    get: GetDocsFile,
  ) {
    this.#manifests = manifests;
    this.#path = path;
    this.#settings = settings;
    this.#get = get;
  }

  /**
   * Adds the routes to the server as soon as there are HTTP routes to show.
   *
   * @throws {ConfigurationError} If a service has the same rule.
   */
  addTo(server: HttpServer): void {
    const isRoute = ({ kind }: ManifestEntrypoint) => kind === "http" || kind === "websocket";
    if (this.#isAdded || !this.#manifests().some(({ entrypoints }) => entrypoints.some(isRoute))) return;
    server.add(["GET"], parseRule(this.#path), this);
    server.add(["GET"], parseRule(`${this.#path}/<file>`), this);
    this.#isAdded = true;
  }

  async handle({ request }: IncomingRequest, { file = "" }: Params): Promise<OutgoingResponse> {
    const { openapi, asyncapi } = this.#settings;
    const relative = (path: string | undefined) =>
      path === undefined ? undefined : posix.relative(posix.dirname(this.#path), path);
    const found = await this.#get(String(file), {
      openapi: relative(openapi?.path),
      asyncapi: relative(asyncapi?.path),
      title: openapi?.title,
      folder: `${posix.basename(this.#path)}/`,
      origins: (openapi?.servers ?? []).filter((url) => URL.canParse(url)).map((url) => new URL(url).origin),
    });
    if (found === undefined) return plainResponse(404, `There is no file ${file} here\n`);
    const headers = Object.entries(found.headers).flat();
    const known = request.headers.get("if-none-match") ?? "";
    const isKnown = known.split(",").some((tag) => tag.trim().replace(/^W\//, "") === found.headers["etag"]);
    return isKnown
      ? completeResponse({ status: 304, headers }, undefined)
      : completeResponse({ status: 200, headers }, found.body);
  }
}
