import { http } from "@enoki/enoki/decorators";

export class Service {
  static readonly name = "advanced_http_service";

  @http("GET", "/privileged")
  forbidden(_request: Request): [number, string] {
    return [403, "Forbidden"];
  }

  @http("GET", "/headers")
  redirect(_request: Request): [number, Record<string, string>, string] {
    return [201, { "Location": "http://www.example.com/widget/1" }, ""];
  }

  @http("GET", "/custom")
  custom(_request: Request): Response {
    return new Response("payload");
  }
}
