/** The pages of the examples, typed by a reader. That of NATS has a part of the server for itself. */
import { NatsStage } from "../extensions/nats/nats_stage.ts";
import { testGuides } from "../fixtures/guide.ts";
import { natsServer, natsUri } from "../fixtures/nats_probe.ts";

const hasNats = await natsServer() !== undefined;
const nats = new NatsStage(natsUri());

Deno.test.afterAll(async () => {
  if (hasNats) await nats[Symbol.asyncDispose]();
});

testGuides("examples/", {
  "examples/nameko/README.md": { ports: ["8000"] },
  "examples/auth/README.md": { ports: ["8000"] },
  "examples/chat/README.md": { ports: ["8000"] },
  "examples/extensions/nats/README.md": {
    replace: { "nats://127.0.0.1:4222/guide": nats.broker },
    ignore: !hasNats,
  },
  "examples/http/README.md": { ports: ["8000"] },
  "examples/streams/README.md": { ports: ["8001", "8123", "10000"] },
});
