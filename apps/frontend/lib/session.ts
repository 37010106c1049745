export const SESSION_COOKIE = "todochat_session";

/** Tells whether the browser speaks https, which only the nearest proxy knows; without one it is http. */
export function isHttps(headers: Headers): boolean {
  return headers.get("x-forwarded-proto")?.split(",")[0]?.trim().toLowerCase() === "https";
}

/**
 * Returns the Set-Cookie value that keeps the backend's token for `maxAge` seconds, out of reach of scripts.
 *
 * Secure follows the public scheme, not the build: with it, a browser on plain http drops the cookie
 * and the sign-in never ends.
 */
export function sessionCookie(token: string, maxAge: number, secure: boolean): string {
  const parts = [`${SESSION_COOKIE}=${token}`, "Path=/", `Max-Age=${Math.floor(maxAge)}`, "HttpOnly", "SameSite=Lax"];
  if (secure) parts.push("Secure");
  return parts.join("; ");
}

/** Returns the Set-Cookie value that ends the session. */
export function endedSessionCookie(secure: boolean): string {
  return sessionCookie("", 0, secure);
}
