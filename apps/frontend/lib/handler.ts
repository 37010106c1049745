import { NextResponse, type NextRequest } from "next/server";

import { BackendError, callBackend } from "@/lib/backend";
import { MAX_BODY_BYTES } from "@/lib/limits";
import { log, requestId, whereOf, withRequestId } from "@/lib/log";
import { isSameOrigin, whyForeign } from "@/lib/origin";
import { readTokens, sessionCookies, type Tokens } from "@/lib/session";
import type { Session } from "@/lib/types";

const READS = new Set(["GET", "HEAD"]);

type Params = Record<string, string>;
type Context = { params: Promise<Params | undefined> };
type Handler = (request: NextRequest, params: Params) => Promise<Response>;
type SignedInHandler = (request: NextRequest, token: string, params: Params) => Promise<Response>;

export function problem(status: number, detail: string, retryAfter: string | null = null): NextResponse {
  const headers = { "cache-control": "no-store", ...(retryAfter && { "retry-after": retryAfter }) };
  return NextResponse.json({ detail }, { status, headers });
}

export function success(body: unknown, status = 200): NextResponse {
  return NextResponse.json(body, { status, headers: { "cache-control": "no-store" } });
}

export function noContent(): NextResponse {
  return new NextResponse(null, { status: 204, headers: { "cache-control": "no-store" } });
}

/** Adds cookies to an answer. */
export function withCookies(response: Response, cookies: string[]): Response {
  cookies.forEach((cookie) => response.headers.append("set-cookie", cookie));
  return response;
}

/** Returns a part of a path as it was before it was encoded. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

async function answerTo(handler: Handler, request: NextRequest, params: Params, ownPagesAlone: boolean): Promise<Response> {
  try {
    if (ownPagesAlone && !READS.has(request.method) && !isSameOrigin(request.headers)) {
      return problem(403, whyForeign());
    }
    return await handler(request, params);
  } catch (error) {
    if (error instanceof BackendError) return problem(error.status, error.message, error.retryAfter);
    log("error", "request failed", whereOf(error));
    return problem(500, "Something went wrong here. Try again in a moment.");
  }
}

/**
 * Wraps a handler: writes must come from our own pages, every failure becomes one JSON sentence, and each request one line of
 * the log. Only what asks for no cookie may be open to other clients.
 */
export function open(handler: Handler, { ownPagesAlone = true } = {}) {
  return (request: NextRequest, context: Context): Promise<Response> =>
    withRequestId(request.headers, async () => {
      const started = performance.now();
      const params = (await context.params) ?? {}; // none where the path has none
      const response = await answerTo(handler, request, params, ownPagesAlone);
      const values = new Map(Object.entries(params).map(([name, value]) => [decoded(value), `{${name}}`]));
      const route = request.nextUrl.pathname.split("/").map((part) => values.get(decoded(part)) ?? part).join("/");
      const duration_ms = Math.round(performance.now() - started);
      log("info", "request", { method: request.method, route, status: response.status, duration_ms });
      response.headers.set("x-request-id", requestId());
      return response;
    });
}

/** Returns the next tokens. Throws BackendError, 401 where the session is over. */
export function refreshed(refresh_token: string): Promise<Session> {
  return callBackend<Session>("/api/v1/auth/refresh", { method: "POST", body: { refresh_token } });
}

/** Returns tokens with which the backend can be called; the cookies are for the answer. Throws BackendError. */
export async function currentTokens({ access, refresh }: Tokens, headers: Headers) {
  if (access || !refresh) return { token: access, cookies: [] };
  const session = await refreshed(refresh);
  return { token: session.access_token, cookies: sessionCookies(session, headers) };
}

/**
 * Like `open`, for those who are signed in. A token that is over is replaced, also one that the backend no longer takes.
 *
 * A refusal never takes cookies away: another tab may have got newer ones meanwhile.
 */
export function signedIn(handler: SignedInHandler) {
  return open(async (request, params) => {
    const { headers } = request;
    const refuse = () => problem(401, "Your session has ended. Sign in again.");
    const given = readTokens(request.cookies, headers);
    const attempt = async (tokens: Tokens) => {
      const { token, cookies } = await currentTokens(tokens, headers);
      if (!token) return refuse();
      try {
        const response = await handler(request, token, params);
        return response.headers.has("set-cookie") ? response : withCookies(response, cookies); // one that ends the session
      } catch (error) {
        // What the refresh gave is good once: it must reach the browser also with a failure.
        if (!(error instanceof BackendError) || cookies.length === 0) throw error;
        return withCookies(problem(error.status, error.message, error.retryAfter), cookies);
      }
    };
    try {
      return await attempt(given).catch((error: unknown) => {
        if (!isOver(error) || !given.access || !given.refresh) throw error;
        return attempt({ refresh: given.refresh });
      });
    } catch (error) {
      if (isOver(error)) return refuse();
      throw error;
    }
  });
}

/** Tells whether the backend says that the session is over. */
export const isOver = (error: unknown) => error instanceof BackendError && error.status === 401;

const bodies = new WeakMap<NextRequest, Record<string, unknown>>();

/** Returns the request's JSON object, as often as it is asked for. Throws BackendError 413, 415 or 422 for anything else. */
export async function readJson(request: NextRequest): Promise<Record<string, unknown>> {
  const known = bodies.get(request);
  if (known) return known;
  if (request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() !== "application/json") {
    throw new BackendError(415, "Send the request as application/json.");
  }
  checkLength(request);
  const body: unknown = await request.json().catch(() => null);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new BackendError(422, "The request holds no JSON object.");
  }
  bodies.set(request, body as Record<string, unknown>);
  return body as Record<string, unknown>;
}

/** Throws BackendError 413 for a body that is too long, or does not say how long it is. */
export function checkLength(request: NextRequest): void {
  const length = request.headers.get("content-length");
  if (length === null || !(Number(length) <= MAX_BODY_BYTES)) {
    throw new BackendError(413, `Send at most ${MAX_BODY_BYTES / 1024} KiB, with a Content-Length.`);
  }
}

/** Makes a handler that signs up or in at the backend and keeps the tokens in our cookies. */
export function sessionStarter(path: string) {
  return open(async (request) => {
    const { email, password, time_zone } = await readJson(request);
    const { browser } = readTokens(request.cookies, request.headers);
    const body = { email, password, time_zone, browser, refresh: true };
    const agent = request.headers.get("user-agent")?.replace(/[^\x20-\x7e]/g, "") ?? "";
    const headers = { "x-client-agent": agent };
    const session = await callBackend<Session>(path, { method: "POST", body, headers });
    return withCookies(success({ user: session.user }, 201), sessionCookies(session, request.headers));
  });
}

/** Returns the id of a path. Throws BackendError 404 for what is no UUID, so that nothing else reaches the backend's path. */
export function idOf(params: Params, what = "todo"): string {
  const id = params.id ?? "";
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) throw new BackendError(404, `There is no such ${what}.`);
  return id;
}
