import { http } from "@enoki/enoki/decorators";

export class HttpService {
  static readonly name = "http_service";

  @http("GET", "/get/<int:value>")
  get_method(_request: Request, { value }: { value: number }): string {
    return `{"values": ${value}}`;
  }

  @http("POST", "/post")
  async do_post(request: Request): Promise<string> {
    return `received: ${await request.text()}`;
  }

  @http("GET,PUT,POST,DELETE", "/multi")
  do_multi(request: Request): string {
    return request.method;
  }
}
