import { loadFromGuide } from "../../../fixtures/guide_section.ts";

const PAYMENTS = `
import { rpc, service } from "@enoki/enoki";
export default service("payments", {
  entrypoints: { charge: rpc(), find: rpc() },
  handlers: { charge: (_context, total: number) => total, find: (_context, id: string): string | null => id },
});
`;

Deno.test("the guide's service with a resilient client compiles and loads", async () => {
  await loadFromGuide("extensions/rpc/README.md", "Resilient callers", "shop.ts", {
    "payments.ts": PAYMENTS,
  });
});
