import { http, service } from "@enoki/enoki";

export default service("http_service", {
  entrypoints: {
    getMethod: http("GET", "/get/<int:value>"),
    doPost: http("POST", "/post"),
    doMulti: http("GET,PUT,POST,DELETE", "/multi"),
  },
  handlers: {
    getMethod: (_context, _request, { value }) => `{"values": ${value}}`,
    doPost: async (_context, request) => `received: ${await request.text()}`,
    doMulti: (_context, request) => request.method,
  },
});
