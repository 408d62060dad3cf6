/**
 * Documents by what their headers say: a headers exchange compares them with the arguments of each binding.
 *
 * ```sh
 * deno run -A cli.ts run ./examples/tutorials/headers/service.ts
 * deno run -A cli.ts call archive.file "The report" format=pdf kind=report
 * ```
 */
import { consume, exchange, publisher, queue, rpc, service } from "@enoki/enoki";

const documents = exchange("documents", { type: "headers" });

const reports = queue("documents.reports", {
  exchange: documents,
  bindings: [{ arguments: { "x-match": "all", format: "pdf", kind: "report" } }],
});

const readable = queue("documents.readable", {
  exchange: documents,
  bindings: [{ arguments: { "x-match": "any", format: "pdf", kind: "letter" } }],
});

export default service("archive", {
  dependencies: { publish: publisher<string>({ exchange: documents }) },
  entrypoints: {
    file: rpc(),
    reports: consume<string>(reports),
    readable: consume<string>(readable),
  },
  handlers: {
    file: ({ publish }, title: string, format: string, kind: string) =>
      publish(title, { headers: { format, kind } }),
    reports({ call }, title) {
      call.log.info("report", { title });
    },
    readable({ call }, title) {
      call.log.info("readable", { title });
    },
  },
});
