import { timer } from "@enoki/enoki/decorators";

export class Service {
  static readonly name = "service";

  @timer({ interval: 1 })
  ping(): void {
    // method executed every second
    // deno-lint-ignore no-console -- it prints what Nameko's example prints
    console.log("pong");
  }
}
