import { strictEqual } from "node:assert/strict";
import type { HostPort } from "../../../runtime/channel/port.ts";
import { ThreadRequests } from "../../../runtime/pool/thread_requests.ts";
import { hostAddress } from "../../../runtime/service/dependency.ts";

Deno.test("what a dependency asks of its own half is no call that its thread waits for", () => {
  const requests = new ThreadRequests({ postMessage() {} } as Partial<HostPort> as HostPort);
  const messenger = {
    request: () => Promise.withResolvers<string>().promise,
    publish: () => Promise.resolve(),
  };
  const ask = (id: number, service: string) =>
    requests.take({
      type: "request",
      id,
      request: { service, method: "ask", body: "", headers: {} },
      timeout: 1_000,
    }, messenger);
  ask(1, hostAddress("orders", "db"));
  strictEqual(requests.size, 0);
  ask(2, "payments");
  strictEqual(requests.size, 1);
  requests.end();
});
