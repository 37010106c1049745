import { subscribe } from "node:diagnostics_channel";
import type { Server, ServerResponse } from "node:http";

import { LAST_REQUESTS_MS } from "@/lib/limits";

const DRAIN_MS = 5_000;
/** What has no end of its own soon; whoever reads one goes on with it elsewhere. */
const STREAM = /^text\/event-stream\b/;

/**
 * After SIGTERM goes on answering for a moment, closing each connection with its answer, then breaks streams
 * off and stops when the last request is answered.
 *
 * Next.js itself (switched off by NEXT_MANUAL_SIG_HANDLE) closes every idle connection at once, and a client that keeps
 * its connections loses the request it sends into the closing one.
 */
export function stopGracefully(drainMs = DRAIN_MS): void {
  const servers = new Set<Server>();
  const unanswered = new Set<ServerResponse>();
  let draining = false;
  let stopping = false;

  const closeAfter = (response: ServerResponse) => {
    if (!response.headersSent) response.setHeader("connection", "close");
  };

  subscribe("http.server.request.start", (message) => {
    const { response, server } = message as { response: ServerResponse; server: Server };
    servers.add(server);
    unanswered.add(response);
    response.once("close", () => {
      unanswered.delete(response);
      // One that had begun before SIGTERM leaves its connection open.
      if (stopping) setImmediate(() => server.closeIdleConnections());
    });
    if (draining) closeAfter(response);
  });

  process.once("SIGTERM", () => {
    draining = true;
    unanswered.forEach(closeAfter);
    setTimeout(() => {
      stopping = true;
      unanswered.forEach((response) => {
        if (STREAM.test(String(response.getHeader("content-type")))) response.destroy();
      });
      const closed = [...servers].map((server) => new Promise((resolve) => server.close(resolve)));
      void Promise.all(closed).then(() => process.exit(0));
      setTimeout(() => process.exit(1), LAST_REQUESTS_MS);
    }, drainMs);
  });
}
