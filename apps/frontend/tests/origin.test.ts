import assert from "node:assert/strict";
import { test } from "node:test";

import { isSameOrigin } from "@/lib/origin";

const sameOrigin = (headers: Record<string, string>) => isSameOrigin(new Headers(headers));

test("a write from our own pages is taken, under every address", () => {
  assert.ok(sameOrigin({ origin: "http://127.0.0.1:30000", host: "127.0.0.1:30000" }));
  assert.ok(sameOrigin({ origin: "http://192.168.85.2:30000", host: "192.168.85.2:30000" }));
  assert.ok(sameOrigin({ origin: "https://todo.example.org", host: "Todo.example.org" }));
});

test("another site, another port and no origin at all are refused", () => {
  assert.ok(!sameOrigin({ origin: "https://evil.example", host: "127.0.0.1:30000" }));
  assert.ok(!sameOrigin({ origin: "http://127.0.0.1:8080", host: "127.0.0.1:30000" }));
  assert.ok(!sameOrigin({ origin: "http://127.0.0.1:30000.evil.example", host: "127.0.0.1:30000" }));
  assert.ok(!sameOrigin({ origin: "null", host: "127.0.0.1:30000" }));
  assert.ok(!sameOrigin({ host: "127.0.0.1:30000" }));
  assert.ok(!sameOrigin({ origin: "http://127.0.0.1:30000" }));
});

test("a proxy that names the scheme's own port in Host changes nothing", () => {
  assert.ok(sameOrigin({ origin: "https://todo.example", host: "todo.example:443" }));
  assert.ok(sameOrigin({ origin: "http://todo.example", host: "todo.example:80" }));
  assert.ok(!sameOrigin({ origin: "https://todo.example", host: "todo.example:80" }));
  assert.ok(!sameOrigin({ origin: "http://todo.example", host: "todo.example:443" }));
});

test("a public address is the only one", (context) => {
  context.after(() => delete process.env.PUBLIC_URL);
  process.env.PUBLIC_URL = "https://todo.example/";
  assert.ok(sameOrigin({ origin: "https://todo.example", host: "frontend:3000" }));
  assert.ok(!sameOrigin({ origin: "http://frontend:3000", host: "frontend:3000" }));
  process.env.PUBLIC_URL = "todo.example";
  assert.throws(() => sameOrigin({ origin: "https://todo.example", host: "todo.example" }), /PUBLIC_URL/);
});
