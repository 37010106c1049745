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
