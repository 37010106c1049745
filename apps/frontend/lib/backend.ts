import { CALL_MS, STREAM_MS } from "@/lib/limits";
import { log, requestId } from "@/lib/log";
import { AT_ONCE, MOST_AT_ONCE, queryOf, showsDone, type Listed, type Listing, type Rest } from "@/lib/listing";
import { CHANGES_MAX } from "@/lib/rules";
import type { AccessToken, Actor, Change, Conversation, ConversationSummary, Counts, Serving, SignIn, Todo, User, Who } from "@/lib/types";

const AWAY = "The todo service is not answering right now. Try again in a moment.";

/** A call that did not succeed: the status to answer with, and a sentence for the person who waits. */
export class BackendError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** Seconds or a date, as the backend says it. */
    readonly retryAfter: string | null = null,
  ) {
    super(message);
  }
}

type Call = {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  token?: string;
  body?: unknown;
  timeoutMs?: number;
  /** Ends the call. */
  signal?: AbortSignal;
  /** Sent twice it does what it does once. */
  repeatable?: boolean;
  /** Headers besides. */
  headers?: Record<string, string>;
  /** Told the headers of the answer. */
  heard?: (headers: Headers) => void;
};

/**
 * Returns the backend's address, read on each call so that one image serves every cluster.
 *
 * Throws an Error that names the variable when it is missing or no http(s) address.
 */
export function backendUrl(): URL {
  const value = process.env.BACKEND_URL ?? "";
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    throw new Error(`BACKEND_URL is "${value}"; set it to the backend's address, such as http://backend:8001`);
  }
  return url;
}

const withoutIds = (path: string) => path.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b\d+\b/gi, "{id}");

/** Returns the sentence of an error answer; validation errors come as a list of them. */
async function detailOf(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => null);
  const detail = (body as { detail?: unknown } | null)?.detail;
  if (typeof detail === "string") return detail;
  const first: unknown = Array.isArray(detail) ? (detail[0] as { msg?: unknown } | undefined)?.msg : undefined;
  return typeof first === "string" ? first : "The request was not accepted.";
}

/** Calls the backend and returns what `read` makes of its answer. Throws BackendError, as callBackend does. */
async function reach<T>(path: string, call: Call, read: (response: Response) => Promise<T>): Promise<T> {
  const { method = "GET", token, body, timeoutMs = CALL_MS, heard, repeatable = method === "GET" } = call;
  const url = new URL(path, backendUrl());
  const headers: Record<string, string> = { accept: "application/json", "x-request-id": requestId(), ...call.headers };
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const route = withoutIds(url.pathname);
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = call.signal ? AbortSignal.any([timeout, call.signal]) : timeout;
  const send = async () => {
    const answered = await fetch(url, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      redirect: "error",
      signal,
    });
    if (answered.headers.get("x-request-id") === headers["x-request-id"]) return answered;
    // Whoever else answers at this address, as a network's proxy may for one that has no pod just now, is not believed, nor kept.
    await answered.body?.cancel();
    throw new Error("somebody else answers at the backend's address");
  };

  let response: Response;
  let answer: T;
  try {
    // A kept-alive connection may be closed just as it is used.
    response = await send().catch((error: unknown) => {
      if (!repeatable || signal.aborted) throw error;
      return send();
    });
    if (!response.ok) {
      const retryAfter = response.headers.get("retry-after");
      if (response.status < 500) throw new BackendError(response.status, await detailOf(response), retryAfter);
      log("error", "backend answered with an error", { method, route, status: response.status });
      await response.arrayBuffer(); // read to its end, so that its connection serves again
      throw new BackendError(response.status === 503 ? 503 : 502, AWAY, retryAfter);
    }
    heard?.(response.headers);
    answer = await read(response);
  } catch (error) {
    if (error instanceof BackendError) throw error;
    const { code, name } = ((error as Error).cause ?? error) as { code?: string; name?: string };
    const what = signal.aborted ? "backend took too long" : "backend unreachable";
    log("error", what, { method, route, timeoutMs, cause: code ?? name });
    throw signal.aborted
      ? new BackendError(504, "The todo service took too long to answer. Try again in a moment.")
      : new BackendError(503, AWAY);
  }
  return answer;
}

/**
 * Calls the backend and returns its JSON (undefined for 204).
 *
 * Throws BackendError: the backend's own 4xx with its sentence, 502 when it failed, 503 when it cannot be reached,
 * 504 when it took longer than `timeoutMs`.
 */
export function callBackend<T>(path: string, call: Call = {}): Promise<T> {
  return reach(path, call, async (response) => (response.status === 204 ? undefined : await response.json()) as T);
}

/** Passes on what the backend sends, as it comes, until `signal`. Throws BackendError where it sends nothing. */
export function streamBackend(path: string, call: Omit<Call, "timeoutMs">): Promise<Response> {
  const headers = { ...call.headers, accept: "text/event-stream", "accept-encoding": "identity" };
  return reach(path, { ...call, headers, timeoutMs: STREAM_MS }, async (response) => passedOn(response, STREAMED));
}

/** Passes on a document as it comes, never whole in memory; one that the backend breaks off, or takes too long for, is broken off. */
export function downloadBackend(path: string, call: Omit<Call, "timeoutMs">): Promise<Response> {
  return reach(path, { ...call, timeoutMs: STREAM_MS }, async ({ body, headers }) => {
    const type = headers.get("content-type") ?? "application/octet-stream";
    return new Response(body, { headers: { "content-type": type, "cache-control": "no-store" } });
  });
}

const STREAMED = ["content-type", "x-vercel-ai-ui-message-stream"];

/** Returns an answer of the backend as one of ours: these headers of it alone, and kept and compressed by nobody on the way. */
export function passedOn(response: Response, names: string[]): Response {
  const headers = new Headers({ "cache-control": "no-store, no-transform", "x-accel-buffering": "no" });
  for (const name of names) {
    const value = response.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(response.body && untilCut(response.body), { status: response.status, headers });
}

/** A stream that just ends where the backend breaks it off: whoever reads it sees that its end is missing. */
function untilCut(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
      if (done || !value) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

export const fetchUser = (token: string) => callBackend<User>("/api/v1/auth/me", { token });

/** Todos, and where those that follow begin. */
type Part = { todos: Todo[]; after: string | null };

async function fetchPage(token: string, query: URLSearchParams): Promise<Part> {
  const seen: { after: string | null } = { after: null };
  const heard = (headers: Headers) => {
    const [, rest] = /<[^?>]*\?([^>]*)>/.exec(headers.get("link") ?? "") ?? [];
    seen.after = new URLSearchParams(rest).get("after");
  };
  const todos = await callBackend<Todo[]>(`/api/v1/todos?${query}`, { token, heard });
  return { todos, ...seen };
}

/** Returns all todos, up to the most that are read at once: what a page of the version before asks for. */
export const fetchAll = (token: string) => fetchPage(token, new URLSearchParams({ limit: String(MOST_AT_ONCE) }));

type Overview = Record<keyof Rest, Part> & { counts: Counts | null };

/** Returns the first todos of a listing, as many as `shown` where that is given, and how many there are of all, as of one moment. */
export async function fetchTodos(token: string, listing: Listing, shown: Partial<Record<keyof Rest, number>> = {}): Promise<Listed> {
  const limit = (before = 0) => Math.min(Math.max(AT_ONCE, before), MOST_AT_ONCE);
  const limits = { open: limit(shown.open), done: showsDone(listing) ? limit(shown.done) : 0 };
  const overview = callBackend<Overview>(`/api/v1/todos/overview?${queryOf(listing, limits)}`, { token });
  const { open, done, counts } = await overview.catch((error: unknown) => {
    if (!(error instanceof BackendError) || error.status !== 422) throw error;
    return fetchPlainly(token, listing); // the version before, as there is while it is upgraded, takes it for a todo's id
  });
  return { todos: [...open.todos, ...done.todos], rest: { open: open.after, done: done.after }, counts };
}

async function fetchPlainly(token: string, listing: Listing): Promise<Overview> {
  const { todos } = await fetchPage(token, queryOf(listing, { limit: MOST_AT_ONCE }));
  const part = (done: boolean) => ({ todos: todos.filter(({ completed }) => completed === done), after: null });
  return { open: part(false), done: showsDone(listing) ? part(true) : { todos: [], after: null }, counts: null };
}

/** Returns those of a listing that come after a place. */
export async function fetchRest(token: string, listing: Listing, state: keyof Rest, after: string): Promise<Listed> {
  const sort = state === "done" ? "-completed" : listing.sort;
  const page = await fetchPage(token, queryOf(listing, { state, sort, limit: AT_ONCE, after }));
  return { todos: page.todos, rest: { open: null, done: null, [state]: page.after }, counts: null };
}

export const fetchSignIns = (token: string) => callBackend<SignIn[]>("/api/v1/auth/sessions", { token });

export const fetchTokens = (token: string) => callBackend<AccessToken[]>("/api/v1/auth/tokens", { token });

/** Returns which assistant would answer now, and who sees what is said to it. */
export const fetchServing = (token: string) => callBackend<Serving>("/api/v1/chat/assistant", { token });

const CONVERSATIONS = "/api/v1/chat/conversations";
/** Messages that are read at once. */
const MESSAGES = 50;

/** Returns a conversation with its last messages, those before one where that is given. */
export async function fetchConversation(token: string, id: string, before?: string): Promise<Conversation> {
  const seen: { earlier: number | null } = { earlier: null };
  const heard = (headers: Headers) => {
    const [, place] = /[?&]before=(\d+)/.exec(headers.get("link") ?? "") ?? [];
    if (place) seen.earlier = Number(place);
  };
  const path = `${CONVERSATIONS}/${id}?limit=${MESSAGES}${before ? `&before=${before}` : ""}`;
  return { ...(await callBackend<Conversation>(path, { token, heard })), ...seen };
}

/** Returns the conversation last begun, or null before the first message. */
export async function fetchLatestConversation(token: string): Promise<Conversation | null> {
  const [latest] = await callBackend<ConversationSummary[]>(`${CONVERSATIONS}?limit=1`, { token });
  return latest ? fetchConversation(token, latest.id) : null;
}

/** Returns the changes of the last 30 days, newest first: those before one, and of somebody, where these are given. */
export function fetchChanges(token: string, { before, ...who }: { before?: string } & Partial<Who> = {}): Promise<Change[]> {
  const given = Object.entries({ before, ...who }).filter((one): one is [string, string] => Boolean(one[1]));
  return callBackend<Change[]>(`/api/v1/changes?${new URLSearchParams([["limit", String(CHANGES_MAX)], ...given])}`, { token });
}

export const fetchActors = (token: string) => callBackend<Actor[]>("/api/v1/changes/actors", { token });
