import { type Dispatcher, dispatcher } from "@enoki/enoki";
import { event, inject, rpc } from "@enoki/enoki/decorators";

/** Event dispatching service. */
export class EmitterService {
  static readonly name = "emitter_service";

  @inject(dispatcher<{ some_event: string }>())
  dispatch!: Dispatcher<{ some_event: string }>;

  @rpc
  async emit_event(payload: string): Promise<void> {
    await this.dispatch("some_event", payload);
  }
}

/** Event listening service. */
export class HandlerService {
  static readonly name = "handler_service";

  @event<string>("emitter_service", "some_event")
  handler(payload: string): void {
    // deno-lint-ignore no-console -- it prints what Nameko's example prints
    console.log("handler_service :", payload);
  }
}
