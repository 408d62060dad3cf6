/**
 * A chat of lines, as with `nc localhost 8123`: the first line is a name, and all others are for everybody.
 *
 * The name is the state of the connection: it is there in every call, in whichever thread that runs.
 */
import { service, stream } from "@enoki/enoki";

const chat = stream({
  listen: { config: "CHAT_LISTEN" },
  framing: "lines",
  maxLine: 500,
  state: { name: "" },
});

export default service("chat", {
  dependencies: { everybody: chat.connections() },
  entrypoints: { enter: chat.connected(), say: chat.received({ timeout: 5_000 }), leave: chat.lost() },
  handlers: {
    enter: (_context, connection) => connection.write("What is your name?"),
    async say({ everybody }, connection, line) {
      const { state, id } = connection;
      if (line === "/quit") return connection.close();
      if (state.name !== "") return await everybody.broadcast(`<${state.name}> ${line}`, { except: id });
      state.name = line.trim() || "somebody";
      await connection.write(`Welcome, ${state.name}!`);
      await everybody.broadcast(`${state.name} has joined`, { except: id });
    },
    async leave({ everybody }, { state }) {
      if (state.name !== "") await everybody.broadcast(`${state.name} has left`);
    },
  },
});
