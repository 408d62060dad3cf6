/** The page of the extension, as a reader follows it. */
import { testGuide } from "../../fixtures/guide.ts";

testGuide({ page: "extensions/sql/README.md" });
