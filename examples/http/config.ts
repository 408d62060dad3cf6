import { config, http, service } from "@enoki/enoki";

class FeatureNotEnabled extends Error {
  readonly status = 403;
}

export default service("config_service", {
  dependencies: { config: config() },
  entrypoints: {
    foo: http("GET", "/foo", {
      expected: ["FeatureNotEnabled"],
      onError: (error) => error instanceof FeatureNotEnabled ? [403, "FeatureNotEnabled"] : undefined,
    }),
  },
  handlers: {
    foo({ config }) {
      if (!config["FOO_FEATURE_ENABLED"]) throw new FeatureNotEnabled("foo");
      return "foo";
    },
  },
});
