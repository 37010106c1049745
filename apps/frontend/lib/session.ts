import { publicUrl } from "@/lib/origin";
import type { Session } from "@/lib/types";

/** Some are set by the page itself (lib/draft.ts): `open`, the conversation that is open; `theme` and `language`, what was chosen. */
type Kind = "session" | "refresh" | "browser" | "open" | "theme" | "language";
type Cookies = { get(name: string): { value: string } | undefined };

const BROWSER_SECONDS = 365 * 24 * 60 * 60;
/** What the backend's tokens are made of; anything else in a cookie is of somebody else, and no header could carry it. */
const TOKEN = /^[A-Za-z0-9._~+/=-]{1,4000}$/;

/**
 * Returns the name of a cookie, with the port that the browser knows us by: cookies themselves ignore ports, so two
 * deployments on one machine would sign each other out.
 */
export function cookieName(kind: Kind, headers: Headers): string {
  const port = /:(\d+)$/.exec(publicUrl()?.host ?? headers.get("host") ?? "")?.[1];
  return !port || port === "80" || port === "443" ? `todochat_own_${kind}` : `todochat_${port}_${kind}`;
}

export type Tokens = { access?: string; refresh?: string; browser?: string };

/** Returns what the browser's cookies of this deployment hold. */
export function readTokens(cookies: Cookies, headers: Headers): Tokens {
  const read = (name: string) => {
    const value = cookies.get(name)?.value ?? "";
    return TOKEN.test(value) ? value : undefined;
  };
  const [access, refresh, browser] = (["session", "refresh", "browser"] as const).map((kind) =>
    read(cookieName(kind, headers)),
  );
  return { access, refresh, browser };
}

/** Tells whether the browser speaks https: as PUBLIC_URL says, or the nearest proxy; without one it is http. */
export function isHttps(headers: Headers): boolean {
  const url = publicUrl();
  if (url) return url.protocol === "https:";
  return headers.get("x-forwarded-proto")?.split(",")[0]?.trim().toLowerCase() === "https";
}

/**
 * Returns the Set-Cookie value that keeps `value` for `maxAge` seconds, out of reach of scripts.
 *
 * Secure follows the public scheme, not the build: with it, a browser on plain http drops the cookie
 * and the sign-in never ends.
 */
function cookie(name: string, value: string, maxAge: number, headers: Headers): string {
  const parts = [`${name}=${value}`, "Path=/", `Max-Age=${Math.floor(maxAge)}`, "HttpOnly", "SameSite=Lax"];
  if (isHttps(headers)) parts.push("Secure");
  return parts.join("; ");
}

/** Returns the Set-Cookie values that keep what the backend gave; what it did not give stays as it is. */
export function sessionCookies(session: Session, headers: Headers): string[] {
  const kept = [cookie(cookieName("session", headers), session.access_token, session.expires_in, headers)];
  if (session.refresh_token) {
    const seconds = session.refresh_expires_in ?? session.expires_in;
    kept.push(cookie(cookieName("refresh", headers), session.refresh_token, seconds, headers));
  }
  if (session.browser) kept.push(cookie(cookieName("browser", headers), session.browser, BROWSER_SECONDS, headers));
  return kept;
}

/** Returns the Set-Cookie values that end the session. */
export function endedSessionCookies(headers: Headers): string[] {
  return (["session", "refresh"] as const).map((kind) => cookie(cookieName(kind, headers), "", 0, headers));
}
