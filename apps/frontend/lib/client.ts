/** A request that did not succeed; its message is a sentence for the person at the screen. */
export class RequestError extends Error {
  constructor(
    message: string,
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
  ) {
    super(message);
  }
}

/** Loads a page anew: where a session begins or ends, nothing of the page before may stay in memory. */
export function loadPage(path: string): void {
  window.location.assign(path);
}

/**
 * Sends a request to our own server and returns its JSON (undefined for 204). Throws RequestError.
 *
 * With `endsOn401` (the default) an ended session leads back to the sign-in page. `heard` is told the headers of the answer.
 */
export async function request<T>(
  method: "GET" | "POST" | "PATCH" | "DELETE",
  path: string,
  body?: unknown,
  { endsOn401 = true, heard }: { endsOn401?: boolean; heard?: (headers: Headers) => void } = {},
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: body === undefined ? undefined : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(Number(document.documentElement.dataset.timeoutMs)),
    });
  } catch {
    throw new RequestError("No connection to the server. Check your network and try again.", 0);
  }
  // Read to its end also where it is empty: whoever leaves the page upon an answer would break it off otherwise.
  const text = await response.text().catch(() => null);
  if (response.status === 204) return undefined as T;
  let answer: unknown;
  try {
    answer = JSON.parse(text ?? "");
  } catch {
    // Half an answer, or a page that somebody between us and the server sent in its place.
    if (response.ok) throw new RequestError("The answer did not arrive whole. Try again.", 0);
  }
  if (response.ok) {
    heard?.(response.headers);
    return answer as T;
  }
  if (response.status === 401 && endsOn401) loadPage("/login?reason=expired");
  const detail = (answer as { detail?: unknown } | null)?.detail;
  throw new RequestError(typeof detail === "string" ? detail : "Something went wrong. Try again.", response.status);
}
