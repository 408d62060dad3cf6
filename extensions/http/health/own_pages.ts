import { completeResponse, type OutgoingResponse, plainResponse } from "../response/outgoing_response.ts";

/** Options of {@linkcode OwnPages}. */
export interface OwnPagesOptions {
  /** Whether there are `/healthz` and `/readyz`. */
  readonly health: boolean;
  /** Gives the reasons why the process cannot do its work at present; none if it can. */
  readonly unready: () => readonly string[];
  /** The numbers of the process: the path of the page, and its text. @default {there is no such page} */
  readonly metrics?: { readonly path: string; readonly text: () => string } | undefined;
}

/** The type of the text format of Prometheus. */
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What a server answers about the process itself: whether it lives, whether it is ready, and its numbers. */
export class OwnPages {
  readonly #options: OwnPagesOptions;

  constructor(options: OwnPagesOptions) {
    this.#options = options;
  }

  /** Whether there is any page. */
  get hasAny(): boolean {
    return this.#options.health || this.#options.metrics !== undefined;
  }

  /** Whether there is a page at a path. */
  has(path: string): boolean {
    return this.#options.health && (path === "/healthz" || path === "/readyz") ||
      path === this.#options.metrics?.path;
  }

  /** Answers a request for a page that is there. */
  answer(path: string): OutgoingResponse {
    const { unready, metrics } = this.#options;
    if (path === metrics?.path) {
      return completeResponse({ status: 200, headers: ["content-type", METRICS_TYPE] }, metrics.text());
    }
    if (path === "/healthz") return plainResponse(200, "ok\n");
    const reasons = unready();
    return reasons.length === 0
      ? plainResponse(200, "ready\n")
      : plainResponse(503, `not ready\n${reasons.map((reason) => `${reason}\n`).join("")}`);
  }
}
