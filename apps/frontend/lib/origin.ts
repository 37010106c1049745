/**
 * Tells whether a write comes from our own pages.
 *
 * Browsers send Origin with every POST, PATCH and DELETE, and no page can forge it, so a missing or foreign
 * one is refused. It is compared with Host because the application is reached under several addresses.
 */
export function isSameOrigin(headers: Headers): boolean {
  const origin = headers.get("origin");
  const host = headers.get("host");
  if (!origin || !host) return false;
  try {
    return new URL(origin).host === host.toLowerCase();
  } catch {
    return false; // "null", as sandboxed frames send it
  }
}
