import { http, service } from "@enoki/enoki";

export default service("advanced_http_service", {
  entrypoints: {
    forbidden: http("GET", "/privileged"),
    redirect: http("GET", "/headers"),
    custom: http("GET", "/custom"),
  },
  handlers: {
    forbidden: () => [403, "Forbidden"],
    redirect: () => [201, { Location: "http://www.example.com/widget/1" }, ""],
    custom: () => new Response("payload"),
  },
});
