import { http, type HttpOptions, service } from "@enoki/enoki";

class HttpError extends Error {
  readonly status: number = 500;
  readonly code: string = "ERROR";
}

class InvalidArgumentsError extends HttpError {
  override readonly status = 400;
  override readonly code = "INVALID_ARGUMENTS";
}

/** An entrypoint of this service, with errors as this service writes them. */
const api = <const Rule extends string>(method: string, rule: Rule, options: HttpOptions = {}) =>
  http(method, rule, {
    expected: ["HttpError"],
    onError(error) {
      if (!(error instanceof HttpError)) return undefined;
      const { code, message, status } = error;
      const body = `{"error": ${JSON.stringify(code)}, "message": ${JSON.stringify(message)}}`;
      return [status, { "content-type": "application/json" }, body];
    },
    ...options,
  });

export default service("custom_exception_service", {
  entrypoints: {
    customException: api("GET", "/custom_exception"),
  },
  handlers: {
    customException() {
      throw new InvalidArgumentsError("Argument 'foo' is required");
    },
  },
});
