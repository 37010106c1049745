import assert from "node:assert/strict";
import { test } from "node:test";

import { unstable_doesMiddlewareMatch, unstable_getResponseFromNextConfig } from "next/experimental/testing/server";
import { NextRequest } from "next/server";

import nextConfig from "@/next.config";
import { config, proxy } from "@/proxy";

const POLICY = "content-security-policy";

/** The policy's directives by name, and the nonce in it. */
async function policyOf(url = "http://todo.example/todos") {
  const policy = (await proxy(new NextRequest(url))).headers.get(POLICY) ?? "";
  const nonce = /'nonce-([A-Za-z0-9+/=]+)'/.exec(policy)?.[1] ?? "";
  return { nonce, directives: new Map(policy.split("; ").map((part) => [part.split(" ")[0], part.split(" ").slice(1)])) };
}

test("only our own scripts and styles run, and nobody frames, rebases or redirects the pages", async () => {
  const { nonce, directives } = await policyOf();
  assert.deepEqual(Object.fromEntries(directives), {
    "default-src": ["'self'"],
    "script-src": ["'self'", `'nonce-${nonce}'`, "'strict-dynamic'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
  });
});

test("each answer has a nonce of its own that cannot be guessed", async () => {
  const nonces = await Promise.all(Array.from({ length: 100 }, async () => (await policyOf()).nonce));
  assert.equal(new Set(nonces).size, 100);
  for (const nonce of nonces) assert.equal(Buffer.from(nonce, "base64").length, 16);
});

test("a page is rendered with the nonce of its own policy, not with one that a visitor sends", async () => {
  const request = new NextRequest("http://todo.example/", { headers: { [POLICY]: "script-src 'nonce-theirs'" } });
  const { headers } = await proxy(request);
  // so Next.js hands a changed header of the request on to the page
  assert.equal(headers.get(`x-middleware-request-${POLICY}`), headers.get(POLICY));
});

test("what this build has Next.js answers, and of what nobody has it says so", async () => {
  const answer = await proxy(new NextRequest("http://todo.example/_next/static/chunks/nobodys.js"));
  assert.equal(answer.headers.get("x-middleware-next"), "1");
});

test("every page has a policy; what is no page needs none", () => {
  const matches = (url: string) => unstable_doesMiddlewareMatch({ config, nextConfig, url });
  for (const url of ["/", "/todos", "/login", "/signup", "/no/such/page", "/icon", "/apiary", "/mcpx"]) assert.ok(matches(url), url);
  for (const url of ["/api/todos", "/health/live", "/mcp", "/icon.svg"]) assert.ok(!matches(url), url);
});

for (const url of ["/", "/todos", "/api/todos", "/health/live", "/_next/static/chunks/a.js"]) {
  test(`${url} is not sniffed, framed, or given more than it needs`, async () => {
    const { headers } = await unstable_getResponseFromNextConfig({ url: `http://todo.example${url}`, nextConfig });
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("x-frame-options"), "DENY");
    assert.equal(headers.get("referrer-policy"), "same-origin");
    assert.equal(headers.get("permissions-policy"), "camera=(), microphone=(), geolocation=()");
  });
}

test("no answer says what makes it", () => {
  assert.equal(nextConfig.poweredByHeader, false);
});
