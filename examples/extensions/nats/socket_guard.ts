/**
 * Keeps the errors of dead sockets from ending the process.
 *
 * The client library removes all listeners from a socket before it gives the socket up. An error that comes after
 * that, such as a reset by the server after a refused login, would have no listener, and Node's sockets then throw.
 */
import type { Socket } from "node:net";
import { NodeTransport } from "npm:@nats-io/transport-node@3.4.0/lib/node_transport.js";

const { dial, startTLS, tlsFirst } = NodeTransport.prototype;

NodeTransport.prototype.dial = async function (...args) {
  return guarded(await dial.apply(this, args));
};
NodeTransport.prototype.startTLS = async function () {
  return guarded(await startTLS.call(this));
};
NodeTransport.prototype.tlsFirst = async function (...args) {
  return guarded(await tlsFirst.apply(this, args));
};

/** Gives a socket a listener for errors that cannot be removed. The library itself hears them as before. */
function guarded<Guarded extends Socket>(socket: Guarded): Guarded {
  const ignore = () => {};
  const removeAllListeners = socket.removeAllListeners.bind(socket);
  // Without any argument, it removes the listeners of all events.
  socket.removeAllListeners = (...events) => {
    removeAllListeners(...events);
    return socket.on("error", ignore);
  };
  return socket.on("error", ignore);
}
