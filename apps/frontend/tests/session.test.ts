import assert from "node:assert/strict";
import { test } from "node:test";

import { endedSessionCookie, isHttps, sessionCookie } from "@/lib/session";

test("the cookie is out of reach of scripts and of other sites", () => {
  assert.equal(
    sessionCookie("a.b.c", 900.7, false),
    "todochat_session=a.b.c; Path=/; Max-Age=900; HttpOnly; SameSite=Lax",
  );
});

test("Secure follows the public scheme", () => {
  assert.match(sessionCookie("a.b.c", 900, true), /; Secure$/);
  assert.ok(isHttps(new Headers({ "x-forwarded-proto": "https" })));
  assert.ok(isHttps(new Headers({ "x-forwarded-proto": "HTTPS, http" })));
  assert.ok(!isHttps(new Headers({ "x-forwarded-proto": "http" })));
  assert.ok(!isHttps(new Headers()));
});

test("ending the session empties the cookie at once", () => {
  assert.match(endedSessionCookie(false), /^todochat_session=; Path=\/; Max-Age=0;/);
});
