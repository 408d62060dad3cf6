import { loadFromGuide } from "../../../fixtures/guide_section.ts";

Deno.test("the guide's service with limits compiles and loads", async () => {
  await loadFromGuide("runtime/pool/README.md", "Limits of a method", "reports.ts");
});
