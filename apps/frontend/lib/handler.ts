import { NextResponse, type NextRequest } from "next/server";

import { BackendError, callBackend } from "@/lib/backend";
import { isSameOrigin } from "@/lib/origin";
import { endedSessionCookie, isHttps, SESSION_COOKIE, sessionCookie } from "@/lib/session";
import type { Session } from "@/lib/types";

const MAX_BODY_BYTES = 32 * 1024;
const READS = new Set(["GET", "HEAD"]);

type Params = Record<string, string>;
type Context = { params: Promise<Params> };
type Handler = (request: NextRequest, params: Params) => Promise<Response>;
type SignedInHandler = (request: NextRequest, token: string, params: Params) => Promise<Response>;

export function problem(status: number, detail: string): NextResponse {
  return NextResponse.json({ detail }, { status, headers: { "cache-control": "no-store" } });
}

export function success(body: unknown, status = 200): NextResponse {
  return NextResponse.json(body, { status, headers: { "cache-control": "no-store" } });
}

export function noContent(): NextResponse {
  return new NextResponse(null, { status: 204, headers: { "cache-control": "no-store" } });
}

/** Wraps a handler: writes must come from our own pages, and every failure becomes one JSON sentence. */
export function open(handler: Handler) {
  return async (request: NextRequest, context: Context): Promise<Response> => {
    if (!READS.has(request.method) && !isSameOrigin(request.headers)) {
      return problem(403, "This request did not come from the application's own pages.");
    }
    try {
      return await handler(request, await context.params);
    } catch (error) {
      if (error instanceof BackendError) return problem(error.status, error.message);
      console.error(error);
      return problem(500, "Something went wrong here. Try again in a moment.");
    }
  };
}

/** Like `open`, for those who are signed in; a token the backend no longer takes also ends the session. */
export function signedIn(handler: SignedInHandler) {
  return open(async (request, params) => {
    const token = request.cookies.get(SESSION_COOKIE)?.value;
    const refuse = () => problem(401, "Your session has ended. Sign in again.");
    if (!token) return refuse();
    try {
      return await handler(request, token, params);
    } catch (error) {
      if (!(error instanceof BackendError) || error.status !== 401) throw error;
      const response = refuse();
      response.headers.set("set-cookie", endedSessionCookie(isHttps(request.headers)));
      return response;
    }
  });
}

/** Returns the request's JSON object. Throws BackendError 413, 415 or 422 for anything else. */
export async function readJson(request: NextRequest): Promise<Record<string, unknown>> {
  if (request.headers.get("content-type")?.split(";")[0]?.trim() !== "application/json") {
    throw new BackendError(415, "Send the request as application/json.");
  }
  const length = request.headers.get("content-length");
  if (length === null || !(Number(length) <= MAX_BODY_BYTES)) {
    throw new BackendError(413, `Send at most ${MAX_BODY_BYTES / 1024} KiB, with a Content-Length.`);
  }
  const body: unknown = await request.json().catch(() => null);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new BackendError(422, "The request holds no JSON object.");
  }
  return body as Record<string, unknown>;
}

/** Makes a handler that signs up or in at the backend and keeps the token in our cookie. */
export function sessionStarter(path: string) {
  return open(async (request) => {
    const { email, password, time_zone } = await readJson(request);
    const session = await callBackend<Session>(path, { method: "POST", body: { email, password, time_zone } });
    const response = success({ user: session.user }, 201);
    const cookie = sessionCookie(session.access_token, session.expires_in, isHttps(request.headers));
    response.headers.set("set-cookie", cookie);
    return response;
  });
}

/** Returns the id of a path. Throws BackendError 404 for what is no UUID, so that nothing else reaches the backend's path. */
export function idOf(params: Params): string {
  const id = params.id ?? "";
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) throw new BackendError(404, "There is no such todo.");
  return id;
}
