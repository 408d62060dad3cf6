import { config, type PlainRecord } from "@enoki/enoki";
import { http, inject } from "@enoki/enoki/decorators";

class FeatureNotEnabled extends Error {}

export class Service {
  static readonly name = "test_config";

  @inject(config())
  config!: PlainRecord;

  get foo_enabled(): boolean {
    return Boolean(this.config["FOO_FEATURE_ENABLED"]);
  }

  @http("GET", "/foo", {
    expected: ["FeatureNotEnabled"],
    onError: (error) => error instanceof FeatureNotEnabled ? [403, "FeatureNotEnabled"] : undefined,
  })
  foo(_request: Request): string {
    if (!this.foo_enabled) throw new FeatureNotEnabled();
    return "foo";
  }
}
