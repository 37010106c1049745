import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { request, RequestError } from "@/lib/client";

Object.assign(globalThis, { document: { documentElement: { dataset: { timeoutMs: "1000" } } } });
const answering = (body: string | null, init: ResponseInit) => mock.method(globalThis, "fetch", async () => new Response(body, init));

for (const body of ['{"reply": "Ad', "<!doctype html><title>Welcome to the hotel</title>", ""]) {
  test(`a 200 with ${JSON.stringify(body)} is a failure in words`, async () => {
    answering(body, { status: 200 });
    await assert.rejects(request("POST", "/api/chat", {}), (error) => error instanceof RequestError && /whole/.test(error.message));
  });
}

test("an error page is a failure with its status", async () => {
  answering("<h1>Bad Gateway</h1>", { status: 502 });
  await assert.rejects(request("GET", "/api/todos"), (error) => error instanceof RequestError && error.status === 502);
});

test("an empty answer is read to its end", async () => {
  const fetched = answering(null, { status: 204 });
  const text = mock.method(Response.prototype, "text");
  assert.equal(await request("DELETE", "/api/todos/1"), undefined);
  assert.equal(fetched.mock.callCount(), 1);
  assert.equal(text.mock.callCount(), 1);
});
