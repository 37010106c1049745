import type { NextRequest } from "next/server";

import { BackendError, backendUrl, passedOn } from "@/lib/backend";
import { checkLength, open } from "@/lib/handler";
import { STREAM_MS } from "@/lib/limits";
import { log, requestId } from "@/lib/log";

/** The protocol's own; never cookies, so that a browser's session is worth nothing here. */
const SENT = ["authorization", "content-type", "accept", "mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name", "last-event-id"];
const ANSWERED = ["content-type", "www-authenticate", "mcp-session-id", "mcp-protocol-version", "allow", "retry-after"];

/** Passes a request of an outside client on to the backend, and its answer back as it comes. */
async function passOn(request: NextRequest): Promise<Response> {
  const { method } = request;
  if (method === "POST") checkLength(request);
  const headers = new Headers({ "accept-encoding": "identity", "x-request-id": requestId() });
  for (const name of SENT) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const body = method === "POST" ? await request.arrayBuffer() : undefined;
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(STREAM_MS)]);
  try {
    const response = await fetch(new URL("/mcp", backendUrl()), { method, headers, body, signal, cache: "no-store", redirect: "error" });
    return passedOn(response, ANSWERED);
  } catch {
    log("error", "backend unreachable", { method, route: "/mcp" });
    throw new BackendError(503, "The todo service is not answering right now. Try again in a moment.");
  }
}

const handler = open(passOn, { ownPagesAlone: false });

export { handler as DELETE, handler as GET, handler as POST };
