/** The page of the extension, as a reader follows it, against a Redis of its own. */
import { testGuide } from "../../fixtures/guide.ts";
import { PrivateRedis } from "../../fixtures/private_redis.ts";

const redis = await PrivateRedis.open();

Deno.test.afterAll(() => redis?.[Symbol.asyncDispose]());

testGuide({
  page: "extensions/redis/README.md",
  replace: { "127.0.0.1:6379": `127.0.0.1:${redis?.port}` },
  ignore: redis === undefined,
});
