/** The backend's limit for a request, from which all others are computed; apps/chart/values.yaml lists them. */
const REQUEST_SECONDS = Number(process.env.REQUEST_SECONDS ?? 25);

/** Longer than the backend takes, so that we hear why. */
export const BACKEND_MS = (REQUEST_SECONDS + 5) * 1000;

/** What a request that is still unanswered has, once the server stops. */
export const LAST_REQUESTS_MS = (REQUEST_SECONDS + 6) * 1000;

/** What the browser waits, so that it hears of our own limit; it reads it from the page. */
export const BROWSER_MS = (REQUEST_SECONDS + 10) * 1000;
