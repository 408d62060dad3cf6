import { rpc } from "@enoki/enoki/decorators";

export class GreetingService {
  static readonly name = "greeting_service";

  @rpc
  hello(name: string): string {
    return `Hello, ${name}!`;
  }
}
