import { stream, type StreamConnection } from "@enoki/enoki";
import { entry } from "@enoki/enoki/decorators";

const lines = stream({ listen: "tcp://127.0.0.1:0", framing: "lines", state: { count: 0 } });

export class Echo {
  static readonly name = "echo";

  @entry(lines.received())
  received(connection: StreamConnection<string, { count: number }>, line: string): void {
    connection.write(`${++connection.state.count} ${line}`);
  }
}
