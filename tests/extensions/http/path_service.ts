import { http, service } from "../../../mod.ts";

/** Rules that match in more than one spelling. */
export default service("paths", {
  entrypoints: {
    folder: http("GET", "/<x>/"),
    files: http("GET", "/files/<path:p>/"),
  },
  handlers: {
    folder: (_context, _request, { x }) => x,
    files: (_context, _request, { p }) => p,
  },
});
