import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { beforeEach, mock, test } from "node:test";

import { BackendError } from "@/lib/backend";

const lines: string[] = [];
for (const name of ["log", "error"] as const) mock.method(console, name, (line: string) => void lines.push(line));

/** The request that Next.js would give the page. */
let cookies: Record<string, string> = {};
const asked = createRequire(import.meta.url)("next/headers") as Record<"cookies" | "headers", () => Promise<unknown>>;
mock.method(asked, "cookies", async () => ({ get: (name: string) => (name in cookies ? { value: cookies[name] } : undefined) }));
mock.method(asked, "headers", async () => new Headers({ host: "todo.example", "x-request-id": "asked" }));
const { loadFor, maybeSignedIn } = await import("@/lib/page");

const ACCESS = { todochat_own_session: "a.1" };
const REFRESH = { todochat_own_refresh: "r.1" };
beforeEach(() => {
  cookies = {};
  lines.length = 0;
});

/** Where Next.js sends the browser instead of the page. */
const sends = (location: string) => (error: unknown) => {
  assert.equal((error as { digest?: string }).digest?.split(";")[2], location);
  return true;
};
const never = async () => assert.fail("nothing may be loaded");
const fails = (status: number) => async () => {
  throw new BackendError(status, "in words");
};

test("who is signed in sees what was loaded with their token", async () => {
  cookies = { ...ACCESS, ...REFRESH };
  assert.equal(await loadFor("/todos", false, async (token) => `list of ${token}`), "list of a.1");
});

test("who is not signed in is sent to sign in", async () => {
  await assert.rejects(loadFor("/todos", false, never), sends("/login"));
  assert.equal(await maybeSignedIn(), false);
});

test("a session is renewed where its access token is over, by the cookie's time or by the backend", async () => {
  cookies = REFRESH;
  await assert.rejects(loadFor("/account", false, never), sends("/api/auth/refresh?next=/account"));
  assert.equal(await maybeSignedIn(), true);
  cookies = { ...ACCESS, ...REFRESH };
  await assert.rejects(loadFor("/todos", false, fails(401)), sends("/api/auth/refresh?next=/todos"));
});

test("a session that cannot be renewed has expired", async () => {
  cookies = ACCESS;
  await assert.rejects(loadFor("/todos", false, fails(401)), sends("/login?reason=expired"));
});

test("where the renewal was in vain, the page says so and does not go in circles", async () => {
  for (const sent of [REFRESH, { ...ACCESS, ...REFRESH }]) {
    cookies = sent;
    const shown = await loadFor("/todos", true, fails(401));
    assert.ok(shown instanceof BackendError);
    assert.equal(shown.status, 503);
  }
});

test("what the backend says is what the page says", async () => {
  cookies = ACCESS;
  const shown = await loadFor("/todos", false, fails(504));
  assert.ok(shown instanceof BackendError);
  assert.deepEqual([shown.status, shown.message], [504, "in words"]);
});

test("a fault of the page itself is logged with its place and without its words", async () => {
  cookies = ACCESS;
  const shown = await loadFor("/todos", false, async () => {
    throw new TypeError("somebody's title");
  });
  assert.ok(shown instanceof BackendError);
  assert.equal(shown.status, 500);
  assert.equal(lines.length, 1);
  const logged = JSON.parse(lines[0]!) as Record<string, string>;
  assert.deepEqual([logged.route, logged.error, logged.request_id], ["/todos", "TypeError", "asked"]);
  assert.match(logged.where ?? "", /^page\.test\.ts:\d+$/);
  assert.doesNotMatch(lines[0]!, /title/);
});
