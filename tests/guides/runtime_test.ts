/** The pages about the runtime, typed by a reader. */
import { testGuides } from "../fixtures/guide.ts";

testGuides("runtime/", {
  "runtime/hosting/README.md": { ports: ["7007"] },
  "runtime/pool/README.md": { ports: ["8000"] },
  "runtime/telemetry/README.md": { ports: ["8000"] },
});
