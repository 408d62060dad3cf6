/** The page: it enters the room of its address, `/?room=lobby`, under the name that it is given. */
export const page = `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Chat</title>
    <style>
      body { font: 1rem/1.5 system-ui; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; }
      form { display: flex; gap: 0.5rem; }
      input[name="text"] { flex: 1; }
      #status { color: gray; }
    </style>
  </head>
  <body>
    <p id="status">connecting</p>
    <ul id="messages"></ul>
    <form id="form">
      <input name="name" placeholder="Your name" required value="Guest">
      <input name="text" placeholder="Say something" required autofocus autocomplete="off">
      <button>Say</button>
    </form>
    <script type="module">
      import { connectSocket } from "/client.js";

      const room = new URLSearchParams(location.search).get("room") ?? "lobby";
      const { name, text } = form.elements;
      const socket = connectSocket("/ws");

      function show(line) {
        const item = document.createElement("li");
        item.textContent = line;
        messages.append(item);
      }

      async function enter() {
        await socket.call.enter(room, name.value);
        document.getElementById("status").textContent = "in room " + room;
      }

      socket.on("connected", () => enter().catch(({ message }) => show(message)));
      socket.on("entered", ({ name }) => show(name + " is here"));
      socket.on("said", ({ name, text }) => show(name + ": " + text));
      name.addEventListener("change", () => enter().catch(({ message }) => show(message)));
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        socket.call.say(text.value).catch(({ message }) => show(message));
        text.value = "";
      });
    </script>
  </body>
</html>
`;
