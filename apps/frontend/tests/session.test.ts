import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { cookieName, endedSessionCookies, isHttps, readTokens, sessionCookies } from "@/lib/session";

const SESSION = { access_token: "a.b.c", expires_in: 900.7, user: { id: "1", email: "ana@example.org" } };
const at = (headers: Record<string, string> = {}) => new Headers({ host: "127.0.0.1:30000", ...headers });
const holding = (cookies: Record<string, string>) => ({
  get: (name: string) => (name in cookies ? { value: cookies[name]! } : undefined),
});
afterEach(() => {
  delete process.env.PUBLIC_URL;
});

test("the cookies are out of reach of scripts and of other sites", () => {
  const given = { ...SESSION, refresh_token: "id.secret", refresh_expires_in: 60 };
  assert.deepEqual(sessionCookies(given, at()), [
    "todochat_30000_session=a.b.c; Path=/; Max-Age=900; HttpOnly; SameSite=Lax",
    "todochat_30000_refresh=id.secret; Path=/; Max-Age=60; HttpOnly; SameSite=Lax",
  ]);
});

test("the second of two who refresh at once leaves the first one's refresh token alone", () => {
  const cookies = sessionCookies({ ...SESSION, refresh_token: null, refresh_expires_in: null }, at());
  assert.deepEqual(cookies.map((cookie) => cookie.split("=")[0]), ["todochat_30000_session"]);
});

test("deployments on other ports of one machine have cookies of their own", () => {
  const other = at({ host: "127.0.0.1:3000" });
  assert.notEqual(cookieName("session", at()), cookieName("session", other));
  const given = { ...SESSION, refresh_token: "id.secret", browser: "b" };
  for (const host of ["127.0.0.1:30000", "127.0.0.1", "127.0.0.1:443"]) {
    const theirs = Object.fromEntries(sessionCookies(given, at({ host })).map((cookie) => cookie.split(/[=;]/)));
    assert.deepEqual(readTokens(holding(theirs), at({ host })), { access: "a.b.c", refresh: "id.secret", browser: "b" });
    for (const name of ["todochat_session", "todochat_refresh"]) theirs[name] = "of-a-version-without-ports";
    assert.deepEqual(readTokens(holding(theirs), other), { access: undefined, refresh: undefined, browser: undefined });
  }
  assert.equal(cookieName("session", at({ host: "todo.example:443" })), cookieName("session", at({ host: "todo.example" })));
});

test("what could not be a token is none", () => {
  for (const value of ["a\nb", "a\rb", "\u20ac", "\u0000", "", "a b", "x".repeat(5000)]) {
    const cookies = holding({ todochat_30000_session: value, todochat_30000_refresh: value });
    assert.deepEqual(readTokens(cookies, at()), { access: undefined, refresh: undefined, browser: undefined });
  }
});

test("Secure follows the public scheme", () => {
  assert.match(sessionCookies(SESSION, at({ "x-forwarded-proto": "https" }))[0]!, /; Secure$/);
  assert.ok(isHttps(new Headers({ "x-forwarded-proto": "HTTPS, http" })));
  assert.ok(!isHttps(new Headers({ "x-forwarded-proto": "http" })));
  assert.ok(!isHttps(new Headers()));
  process.env.PUBLIC_URL = "https://todo.example";
  assert.ok(isHttps(new Headers()));
  process.env.PUBLIC_URL = "http://todo.example";
  assert.ok(!isHttps(new Headers({ "x-forwarded-proto": "https" })));
});

test("ending the session empties its cookies at once", () => {
  for (const cookie of endedSessionCookies(at())) assert.match(cookie, /^todochat_[a-z0-9_]+=; Path=\/; Max-Age=0;/);
});
