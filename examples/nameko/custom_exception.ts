import type { HttpOptions } from "@enoki/enoki";
import { type EntrypointDecorator, http } from "@enoki/enoki/decorators";

class HttpError extends Error {
  readonly error_code: string = "BAD_REQUEST";
  readonly status_code: number = 400;
}

class InvalidArgumentsError extends HttpError {
  override readonly error_code = "INVALID_ARGUMENTS";
}

/** Nameko's HttpEntrypoint with a response_from_exception of its own. */
function api(method: string, url: string): EntrypointDecorator<unknown> {
  const options: HttpOptions = {
    expected: ["InvalidArgumentsError"],
    onError(error) {
      if (!(error instanceof HttpError)) return undefined;
      const body = `{"error": ${JSON.stringify(error.error_code)}, "message": ${
        JSON.stringify(error.message)
      }}`;
      return [error.status_code, { "content-type": "application/json" }, body];
    },
  };
  return http(method, url, options);
}

export class Service {
  static readonly name = "http_service";

  @api("GET", "/custom_exception")
  custom_exception(_request: Request): never {
    throw new InvalidArgumentsError("Argument 'foo' is required");
  }
}
