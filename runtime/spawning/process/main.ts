/** The main module of a service's process. */
import { text } from "node:stream/consumers";
import { stdin } from "node:process";
import { serveProcess } from "./child.ts";

await serveProcess(JSON.parse(await text(stdin)));
Deno.exit();
