/** The pages about extensions, typed by a reader. That of Redis has a Redis of its own. */
import { testGuides } from "../fixtures/guide.ts";
import { PrivateRedis } from "../fixtures/private_redis.ts";

const redis = await PrivateRedis.open();

Deno.test.afterAll(() => redis?.[Symbol.asyncDispose]());

testGuides("extensions/", {
  "extensions/bayeux/README.md": { ports: ["8124"] },
  "extensions/http/README.md": { ports: ["8000"] },
  "extensions/metrics/README.md": { ports: ["9000"] },
  "extensions/redis/README.md": {
    replace: { "127.0.0.1:6379": `127.0.0.1:${redis?.port}` },
    ignore: redis === undefined,
  },
  "extensions/stream/README.md": { ports: ["8123"] },
  "extensions/websocket/README.md": { ports: ["8000"] },
});
