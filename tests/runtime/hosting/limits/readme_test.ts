import { loadFromReadme } from "../../../fixtures/readme_section.ts";

Deno.test("the README's service with limits compiles and loads", async () => {
  await loadFromReadme("Limits of a method", "reports.ts");
});
