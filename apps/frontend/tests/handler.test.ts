import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, beforeEach, mock, test } from "node:test";

import { NextRequest } from "next/server";

import { textsIn } from "@/lib/texts";
import de from "@/lib/texts/de";

import { backendServer } from "./backend-server";

type Handler = (request: NextRequest, context: { params: Promise<Record<string, string>> }) => Promise<Response>;
type Sent = { headers?: Record<string, string>; body?: string; id?: string };

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const ID = "0A1b2c3d-0000-4000-8000-00000000000f";
const OWN_PAGE = { host: "todo.example", origin: "http://todo.example" };
const SIGNED_IN = { ...OWN_PAGE, cookie: "todochat_own_session=token" };

/** Every handler below app/api, as "POST /api/todos". */
const handlers = new Map<string, Handler>();
for (const file of readdirSync("app/api", { recursive: true, encoding: "utf8" })) {
  if (!file.endsWith("/route.ts")) continue;
  const route = (await import(`@/app/api/${file}`)) as Record<string, Handler>;
  for (const method of METHODS) {
    if (route[method]) handlers.set(`${method} /api/${file.replace("/route.ts", "")}`, route[method]);
  }
}
const named = [...handlers.keys()];
const writes = named.filter((name) => !name.startsWith("GET "));
const withBody = named.filter((name) => /^P/.test(name) && !/logout|\[id\]\/undo|stop|confirmations/.test(name));
mock.method(console, "log", () => {}); // a line for each request

/** What reached the backend, as "POST /api/v1/todos"; it answers all of it with a new session. */
let reached: string[] = [];
const backend = backendServer(async (request, response) => {
  reached.push(`${request.method} ${request.url}`);
  await text(request);
  response.end(JSON.stringify({ access_token: "token", expires_in: 60, user: {} }));
}).listen(0, "127.0.0.1");
await once(backend, "listening");
process.env.BACKEND_URL = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
beforeEach(() => {
  reached = [];
});
after(() => {
  backend.closeAllConnections();
  backend.close();
});

/** Sends a request to a handler as Next.js would; a body has its length. */
async function send(name: string, { headers = SIGNED_IN, body, id = ID }: Sent = {}): Promise<Response> {
  const [method = "", path] = name.split(" ");
  const length = body === undefined ? undefined : { "content-length": String(Buffer.byteLength(body)) };
  const request = new NextRequest(`http://todo.example${path}`, { method, headers: { ...length, ...headers }, body });
  return handlers.get(name)!(request, { params: Promise.resolve({ id }) });
}

/** Sends `body` as JSON, with these headers besides. */
const sendJson = (name: string, body: string, headers: Record<string, string> = {}) =>
  send(name, { headers: { ...SIGNED_IN, "content-type": "application/json", ...headers }, body });

/** Asserts that an answer is a refusal in words, and that nothing reached the backend. */
async function refused(response: Response, status: number, words: RegExp): Promise<void> {
  assert.equal(response.status, status);
  assert.match(((await response.json()) as { detail: string }).detail, words);
  assert.deepEqual(reached, []);
}

test("all handlers are known here", () => {
  assert.deepEqual(writes.toSorted(), [
    "DELETE /api/account",
    "DELETE /api/account/sessions/[id]",
    "DELETE /api/account/tokens/[id]",
    "DELETE /api/chat/conversations/[id]",
    "DELETE /api/confirmations/[id]",
    "DELETE /api/todos/[id]",
    "PATCH /api/account",
    "PATCH /api/chat/conversations/[id]",
    "PATCH /api/todos/[id]",
    "POST /api/account/delete",
    "POST /api/account/password",
    "POST /api/account/tokens",
    "POST /api/auth/login",
    "POST /api/auth/logout",
    "POST /api/auth/signup",
    "POST /api/changes/[id]/undo",
    "POST /api/changes/today/undo",
    "POST /api/chat",
    "POST /api/chat/stream",
    "POST /api/chat/turns/[id]/stop",
    "POST /api/confirmations/[id]",
    "POST /api/proposals",
    "POST /api/todos",
  ]);
  assert.equal(withBody.length, 13);
});

for (const name of writes) {
  test(`${name} refuses what comes from another site or from no page at all`, async () => {
    const { host, cookie } = SIGNED_IN;
    for (const origin of ["http://evil.example", "http://todo.example.evil.example", "null"]) {
      await refused(await send(name, { headers: { host, cookie, origin } }), 403, /application's own pages/);
    }
    await refused(await send(name, { headers: { host, cookie } }), 403, /application's own pages/);
  });
}

test("a refusal names the setting that decides, in the page's language too", async (context) => {
  context.after(() => delete process.env.PUBLIC_URL);
  const rewritten = { ...SIGNED_IN, host: "frontend:3000" };
  const said = async () => ((await (await send("POST /api/todos", { headers: rewritten })).json()) as { detail: string }).detail;
  assert.match(await said(), /must pass Host on, or the setting PUBLIC_URL/);
  assert.match(textsIn("de", de.table).t(await said()), /muss Host weitergeben/);
  process.env.PUBLIC_URL = "https://other.example";
  assert.match(await said(), /by the setting PUBLIC_URL these are at https:\/\/other\.example alone\.$/);
  assert.match(textsIn("de", de.table).t(await said()), /allein unter https:\/\/other\.example\.$/);
  process.env.PUBLIC_URL = OWN_PAGE.origin;
  const taken = await sendJson("POST /api/todos", "{}", { host: "frontend:3000" });
  assert.equal(taken.status, 201);
});

test("a read needs no origin", async () => {
  const { host, cookie } = SIGNED_IN;
  assert.equal((await send("GET /api/todos", { headers: { host, cookie } })).status, 200);
});

for (const name of named.filter((name) => !name.includes("/auth/"))) {
  test(`${name} is for those who are signed in`, async () => {
    await refused(await send(name, { headers: OWN_PAGE }), 401, /session has ended/);
  });
}

const LIMIT = 32 * 1024;
const padded = (size: number) => `{"title":"${" ".repeat(size - 12)}"}`;
for (const name of withBody) {
  test(`${name} takes an object of 32 KiB as JSON, and nothing else`, async () => {
    for (const type of ["application/x-www-form-urlencoded", "text/plain", "application/json-seq", ""]) {
      await refused(await sendJson(name, "{}", { "content-type": type }), 415, /as application\/json/);
    }
    await refused(await send(name, { body: "{}" }), 415, /as application\/json/); // text/plain, as browsers send a string
    for (const length of [String(LIMIT + 1), "NaN", "1e9"]) {
      await refused(await sendJson(name, "{}", { "content-length": length }), 413, /at most 32 KiB/);
    }
    await refused(await sendJson(name, padded(LIMIT + 1)), 413, /at most 32 KiB/);
    for (const body of ["[]", "null", '"title"', "1", "", "{"]) {
      await refused(await sendJson(name, body), 422, /no JSON object/);
    }
    const taken = await sendJson(name, padded(LIMIT), { "content-type": "Application/JSON; charset=utf-8" });
    assert.ok(taken.ok, await taken.text());
    assert.equal(reached.length, 1);
  });

  test(`${name} takes no body of unknown length`, async () => {
    const request = new NextRequest(`http://todo.example${name.split(" ")[1]}`, {
      method: name.split(" ")[0],
      headers: { ...SIGNED_IN, "content-type": "application/json" },
      body: "{}",
    });
    await refused(await handlers.get(name)!(request, { params: Promise.resolve({ id: ID }) }), 413, /Content-Length/);
  });
}

for (const method of ["PATCH", "DELETE"]) {
  test(`${method} of a todo brings no path but a UUID's to the backend`, async () => {
    const name = `${method} /api/todos/[id]`;
    const sendTo = (id: string) =>
      send(name, { headers: { ...SIGNED_IN, "content-type": "application/json" }, body: method === "PATCH" ? "{}" : undefined, id });
    for (const id of ["", "1", "../auth/me", "..%2fauth%2fme", `${ID}/..`, `${ID}\n`, `x${ID}`, ID.replace("-", "")]) {
      await refused(await sendTo(id), 404, /no such todo/);
    }
    assert.ok((await sendTo(ID)).ok);
    assert.deepEqual(reached, [`${method} /api/v1/todos/${ID}`]);
  });
}

test("what fails here is no stack for strangers", async () => {
  mock.method(console, "error", () => {});
  const address = process.env.BACKEND_URL;
  process.env.BACKEND_URL = "secret internals";
  await refused(await send("GET /api/todos"), 500, /^Something went wrong here\. Try again in a moment\.$/);
  process.env.BACKEND_URL = address;
});
