import { testGuide } from "../../fixtures/guide.ts";

testGuide({ page: "extensions/timer/README.md", chapter: "Move the time in a test" });
