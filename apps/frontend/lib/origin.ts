/** Returns the one address people reach the application under, where it is set (PUBLIC_URL). Throws an Error for what is none. */
export function publicUrl(): URL | null {
  const value = process.env.PUBLIC_URL;
  if (!value) return null;
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    throw new Error("PUBLIC_URL is no http(s) address; set it to what people type, such as https://todo.example.org");
  }
  return url;
}

/** Returns why a write is refused, for whoever set up what is between the browser and this server. */
export function whyForeign(): string {
  const only = publicUrl();
  return only
    ? `This request did not come from the application's own pages: by the setting PUBLIC_URL these are at ${only.origin} alone.`
    : "This request did not come from the application's own pages. A proxy in between must pass Host on, or the setting PUBLIC_URL name its address.";
}

/**
 * Tells whether a write comes from our own pages.
 *
 * Browsers send Origin with every POST, PATCH and DELETE, and no page can forge it, so a missing or foreign
 * one is refused. Without PUBLIC_URL it is compared with Host because the application is reached under several addresses.
 */
export function isSameOrigin(headers: Headers): boolean {
  const origin = headers.get("origin");
  const host = headers.get("host");
  if (!origin || !URL.canParse(origin)) return false; // "null", as sandboxed frames send it
  const { protocol, host: from, origin: whole } = new URL(origin);
  const only = publicUrl();
  if (only) return whole === only.origin;
  // Some proxies name the scheme's own port in Host; no browser does.
  const own = `${protocol}//${host}`;
  return Boolean(host) && URL.canParse(own) && new URL(own).host === from;
}
