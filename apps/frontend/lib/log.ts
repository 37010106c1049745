import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";

const current = new AsyncLocalStorage<string>();
const ACCEPTED_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** Returns the id of the request that is being answered, the same at the backend; a new one outside of any. */
export const requestId = (): string => current.getStore() ?? randomUUID().replaceAll("-", "");

/** Runs `answer` as the answer to a request whose sender may have given it an id. */
export function withRequestId<T>(headers: Headers, answer: () => Promise<T>): Promise<T> {
  const given = headers.get("x-request-id") ?? "";
  return current.run(ACCEPTED_ID.test(given) ? given : requestId(), answer);
}

/** Writes one line of JSON. What users wrote and secrets never belong in it. */
export function log(level: "info" | "error", message: string, details: Record<string, unknown>): void {
  const line = JSON.stringify({ time: new Date().toISOString(), level, message, request_id: requestId(), ...details });
  (level === "error" ? console.error : console.log)(line);
}

/** Returns where an error happened, without its words, which may be a user's. */
export function whereOf(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error };
  const frame = /\n\s+at .*?([^/\s()]+:\d+):\d+\)?/.exec(error.stack ?? "");
  return { error: error.name, where: frame?.[1] };
}
