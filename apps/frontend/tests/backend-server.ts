import { createServer, type RequestListener, type Server } from "node:http";

/** A server whose answers say to which request they belong, as the backend's do. */
export function backendServer(listener: RequestListener): Server {
  return createServer((request, response) => {
    response.setHeader("x-request-id", request.headers["x-request-id"] ?? "");
    listener(request, response);
  });
}
