/** The backend's limit for a request, from which all others are computed; apps/chart/values.yaml lists them. */
const REQUEST_SECONDS = Number(process.env.REQUEST_SECONDS ?? 25);

/** What takes long, a chat: longer than the backend takes, so that we hear why. */
export const BACKEND_MS = (REQUEST_SECONDS + 5) * 1000;

/** All other calls: whoever waits for a list hears sooner that it does not come. */
export const CALL_MS = REQUEST_SECONDS * 400;

/** A whole stream: a turn has 60 s, and may have been left and taken over meanwhile. The browser asks again for the rest. An export has as long. */
export const STREAM_MS = 90_000;

/** What a request that is still unanswered has, once the server stops. */
export const LAST_REQUESTS_MS = (REQUEST_SECONDS + 6) * 1000;

/** What the browser waits, so that it hears of our own limit, and how long a stream may be silent; it reads it from the page. */
export const BROWSER_MS = (REQUEST_SECONDS + 10) * 1000;

/** Of a request. */
export const MAX_BODY_BYTES = 32 * 1024;
