/** A server as Next.js runs it, for shutdown.test.ts: /slow is answered 2 s after SIGTERM, /stream never ends. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { stopGracefully } from "@/lib/shutdown";

stopGracefully(1_000);
const server = createServer((request, response) => {
  if (request.url === "/stream") {
    response.setHeader("content-type", "text/event-stream; charset=utf-8");
    return response.write("data: begun\n\n");
  }
  if (request.url !== "/slow") return response.end("quick");
  process.once("SIGTERM", () => setTimeout(() => response.end("slow"), 2_000));
  console.log("slow");
});
server.keepAliveTimeout = 75_000;
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
