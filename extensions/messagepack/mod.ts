/**
 * Offers MessagePack as a serializer. On the wire it is the format that kombu calls `msgpack`.
 *
 * @module
 */
export { messagepack } from "../../runtime/message/payload/messagepack.ts";
