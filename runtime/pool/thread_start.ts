import { isFailure, isServices } from "../channel/message_form.ts";
import type { FromThread, ServiceExport } from "../channel/port.ts";
import { ServiceLoadError } from "../message/errors.ts";
import type { Failure } from "../message/failure.ts";
import { isRecord } from "../message/plain.ts";
import type { KnownParameters } from "../service/declared/parameters.ts";

type StartMessage = Extract<FromThread, { readonly type: "loaded" | "described" | "ready" | "unready" }>;

/** How far a thread has come: its module is loaded, its services are described, it serves one of them. */
export class ThreadStart {
  readonly #loading = Promise.withResolvers<readonly ServiceExport[]>();
  readonly #describing = Promise.withResolvers<readonly ServiceExport[]>();
  readonly #serving = Promise.withResolvers<KnownParameters>();
  #service: string | undefined;
  #isAsked = false;

  constructor() {
    for (const { promise } of [this.#loading, this.#describing, this.#serving]) {
      (promise as Promise<unknown>).catch(() => {});
    }
  }

  /** Resolves with what the module exports. Rejects with {@linkcode ServiceLoadError} if it does not load. */
  get loaded(): Promise<readonly ServiceExport[]> {
    return this.#loading.promise;
  }

  /**
   * Resolves with what the module exports, in detail.
   *
   * @param ask Asks the thread for it. It is called once, however often somebody wants to know.
   */
  describe(ask: () => void): Promise<readonly ServiceExport[]> {
    if (!this.#isAsked) ask();
    this.#isAsked = true;
    return this.#describing.promise;
  }

  /**
   * Notes which service the thread is to serve. From now on, a failure is one of this service. Resolves when the
   * dependencies are set up, with the parameters of the handlers.
   */
  serve(service: string): Promise<KnownParameters> {
    this.#service = service;
    return this.#serving.promise;
  }

  /** Takes a message of the thread. Returns false, without an effect, if the message is out of form. */
  take(message: StartMessage): boolean {
    switch (message.type) {
      case "loaded":
      case "described":
        if (!isServices(message.services)) return false;
        (message.type === "loaded" ? this.#loading : this.#describing).resolve(message.services);
        return true;
      case "ready":
        if (!isRecord(message.parameters)) return false;
        this.#serving.resolve(message.parameters);
        return true;
      case "unready":
        if (!isFailure(message.failure)) return false;
        this.reject(loadError(message.failure, this.#service));
        return true;
    }
  }

  /** Rejects what has not resolved. */
  reject(error: ServiceLoadError): void {
    this.#loading.reject(error);
    this.#describing.reject(error);
    this.#serving.reject(error);
  }
}

/**
 * Makes an error with the stack that `data` has, if any, because the author of the module needs it.
 *
 * @param service The service that could not be set up. @default {the module did not load}
 */
function loadError({ name, message, data }: Failure, service: string | undefined): ServiceLoadError {
  const place = service === undefined ? "" : `Cannot set up service "${service}": `;
  const named = name === "ConfigurationError" ? message : `${name}: ${message}`;
  return new ServiceLoadError(
    `${place}${named}`,
    typeof data === "string" ? { thrownStack: place + data } : {},
  );
}
