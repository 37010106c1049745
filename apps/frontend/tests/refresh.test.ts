import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, beforeEach, mock, test } from "node:test";

import { NextRequest } from "next/server";

import { POST as deleteAccount } from "@/app/api/account/delete/route";
import { PATCH as changeAccount } from "@/app/api/account/route";
import { POST as logOut } from "@/app/api/auth/logout/route";
import { GET as refreshPage } from "@/app/api/auth/refresh/route";
import { DELETE as deleteTodo } from "@/app/api/todos/[id]/route";
import { GET as list, POST as add } from "@/app/api/todos/route";

import { backendServer } from "./backend-server";

const TITLE = "nobody else may read this";
const lines: string[] = [];
const heard: { method?: string; url?: string; headers: NodeJS.Dict<string | string[]>; body: string }[] = [];
let status = 0;
let current = "r.1";
let previous = "";
let access = 0;

/** A backend that rotates as ours does: the refresh token before the last is good, and gives no other one. */
const backend = backendServer(async (request, response) => {
  const body = await text(request);
  heard.push({ method: request.method, url: request.url, headers: request.headers, body });
  const answer = (code: number, value?: unknown) => response.writeHead(code, { "retry-after": "7" }).end(JSON.stringify(value));
  if (status) return answer(status, { detail: "Slow down." });
  if (request.url === "/api/v1/auth/refresh") {
    const given = (JSON.parse(body) as { refresh_token: string }).refresh_token;
    if (given !== current && given !== previous) return answer(401, { detail: "over" });
    const first = given === current;
    if (first) [previous, current] = [current, `r.${Number(current.slice(2)) + 1}`];
    const refresh = first ? { refresh_token: current, refresh_expires_in: 100 } : {};
    return answer(200, { access_token: `a.${++access}`, expires_in: 60, user: {}, ...refresh });
  }
  if (request.headers.authorization !== `Bearer a.${access}` && access > 0) return answer(401, { detail: "over" });
  answer(request.url === "/api/v1/auth/logout" ? 204 : 200, []);
}).listen(0, "127.0.0.1");
await once(backend, "listening");
process.env.BACKEND_URL = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
for (const name of ["log", "error"] as const) mock.method(console, name, (line: string) => void lines.push(line));
beforeEach(() => {
  [heard.length, lines.length, status, current, previous, access] = [0, 0, 0, "r.1", "", 0];
});
after(() => {
  backend.closeAllConnections();
  backend.close();
});

type Sent = { cookie?: string; body?: string; path?: string; id?: string };
function ask(handler: typeof list, { cookie = "todochat_own_refresh=r.1", body, path = "/api/todos", id }: Sent = {}) {
  const method = body !== undefined || handler === logOut ? "POST" : "GET";
  const headers: Record<string, string> = { host: "todo.example", origin: "http://todo.example", cookie };
  if (body) Object.assign(headers, { "content-type": "application/json", "content-length": String(body.length) });
  if (id) headers["x-request-id"] = id;
  const request = new NextRequest(`http://todo.example${path}`, { method, headers, body });
  return handler(request, { params: Promise.resolve(undefined) }); // as Next.js has it where the path has none
}
const setBy = (response: Response) => response.headers.getSetCookie().map((cookie) => cookie.split(";")[0]);

test("an access token that is over is renewed on the way, and the browser gets both", async () => {
  const response = await ask(list);
  assert.equal(response.status, 200);
  assert.deepEqual(setBy(response), ["todochat_own_session=a.1", "todochat_own_refresh=r.2"]);
});

test("so is one that the backend does not take any more, and the request is sent again whole", async () => {
  access = 5;
  const cookie = "todochat_own_session=a.old; todochat_own_refresh=r.1";
  const response = await ask(add, { cookie, body: JSON.stringify({ title: TITLE }) });
  assert.equal(response.status, 201);
  assert.match(heard.at(-1)!.body, new RegExp(TITLE));
  assert.deepEqual(heard.map(({ url }) => url), ["/api/v1/todos", "/api/v1/auth/refresh", "/api/v1/todos"]);
});

test("two tabs at once stay signed in, and the second leaves the first one's refresh token alone", async () => {
  const first = await ask(refreshPage);
  const second = await ask(refreshPage);
  assert.deepEqual([first.status, second.status], [303, 303]);
  assert.deepEqual(setBy(first), ["todochat_own_session=a.1", "todochat_own_refresh=r.2"]);
  assert.deepEqual(setBy(second), ["todochat_own_session=a.2"]);
});

test("who comes too late is refused, and takes no cookie away", async () => {
  const late = { cookie: "todochat_own_refresh=r.0" };
  const response = await ask(list, late);
  assert.equal(response.status, 401);
  assert.deepEqual(setBy(response), []);
  const page = await ask(refreshPage, late);
  assert.equal(page.headers.get("location"), "/login?reason=expired");
  assert.deepEqual(setBy(page), []);
});

test("a page is led back to itself, and nowhere else", async () => {
  const to = async (next: string) => (await ask(refreshPage, { path: `/api/auth/refresh?next=${encodeURIComponent(next)}` })).headers.get("location");
  const open = "/todos?conversation=5f0c8d1e-0000-4000-8000-00000000000f";
  for (const page of ["/account", "/history", open, "/todos?conversation=new", "/todos?view=today&q=a+b%20%C3%A4"]) assert.equal(await to(page), page);
  for (const next of ["https://evil.example", "//evil.example", "/api/auth/refresh", "/todos?conversation=//evil.example", "/todos?x\r\ny", ""]) assert.equal(await to(next), "/todos");
});

test("while the backend is away nobody is signed out, and nothing goes in circles", async () => {
  status = 503;
  const response = await ask(refreshPage, { path: "/api/auth/refresh?next=/account" });
  assert.equal(response.headers.get("location"), "/account?away");
  const list = await ask(refreshPage, { path: "/api/auth/refresh?next=/todos?conversation=new" });
  assert.equal(list.headers.get("location"), "/todos?conversation=new&away");
  assert.deepEqual(setBy(response), []);
});

test("signing out ends the session at the backend also when the access token is over", async () => {
  const response = await ask(logOut);
  assert.equal(response.status, 204);
  assert.equal(heard.at(-1)!.url, "/api/v1/auth/logout");
  assert.equal(heard.at(-1)!.headers.authorization, "Bearer a.1");
  assert.deepEqual(setBy(response), ["todochat_own_session=", "todochat_own_refresh="]);
});

test("so it does with an access token that the backend does not take any more", async () => {
  access = 5;
  const response = await ask(logOut, { cookie: "todochat_own_session=a.old; todochat_own_refresh=r.1" });
  assert.equal(response.status, 204);
  assert.deepEqual(heard.map(({ url }) => url), ["/api/v1/auth/logout", "/api/v1/auth/refresh", "/api/v1/auth/logout"]);
  assert.equal(heard.at(-1)!.headers.authorization, "Bearer a.6");
  assert.deepEqual(setBy(response), ["todochat_own_session=", "todochat_own_refresh="]);
});

test("an account's time zone and whether a model may answer are passed on, and nothing else", async () => {
  const body = JSON.stringify({ time_zone: "Europe/Berlin", model_allowed: false, email: "b@todo.example" });
  assert.equal((await ask(changeAccount, { cookie: "todochat_own_session=a", body })).status, 200);
  assert.deepEqual(JSON.parse(heard.at(-1)!.body), { time_zone: "Europe/Berlin", model_allowed: false });
});

test("a path's id is logged as what it is, however it is written", async () => {
  const written = "%75ser's own";
  for (const id of [written, decodeURIComponent(written)]) {
    const headers = { host: "todo.example", origin: "http://todo.example", cookie: "todochat_own_session=a" };
    const request = new NextRequest(`http://todo.example/api/todos/${written}`, { method: "DELETE", headers });
    assert.equal((await deleteTodo(request, { params: Promise.resolve({ id }) })).status, 404);
    assert.equal((JSON.parse(lines.at(-1)!) as { route: string }).route, "/api/todos/{id}");
  }
});

test("a cookie that is no token signs in nobody, and breaks nothing", async () => {
  for (const value of ["%0a", "%E2%82%AC", "a%0Ab"]) {
    assert.equal((await ask(list, { cookie: `todochat_own_session=${value}` })).status, 401);
  }
  assert.deepEqual(heard, []);
});

test("how long to wait is passed on", async () => {
  status = 429;
  const response = await ask(list, { cookie: "todochat_own_session=a" });
  assert.equal(response.status, 429);
  assert.equal(response.headers.get("retry-after"), "7");
});

test("one id goes through both services, with one line that holds neither title nor secret", async () => {
  const response = await ask(add, { cookie: "todochat_own_session=secret", body: JSON.stringify({ title: TITLE }), id: "abc-1" });
  assert.equal(response.headers.get("x-request-id"), "abc-1");
  assert.equal(heard[0]!.headers["x-request-id"], "abc-1");
  assert.equal(lines.length, 1);
  const { time, duration_ms, ...line } = JSON.parse(lines[0]!) as Record<string, unknown>;
  assert.deepEqual(line, { level: "info", message: "request", request_id: "abc-1", method: "POST", route: "/api/todos", status: 201 });
  assert.ok(Date.parse(String(time)) > 0 && Number(duration_ms) >= 0);
});

test("an id that could be anything is replaced", async () => {
  const response = await ask(list, { cookie: "todochat_own_session=a", id: "{}{}" });
  assert.match(response.headers.get("x-request-id") ?? "", /^[0-9a-f]{32}$/);
  assert.equal(heard[0]!.headers["x-request-id"], response.headers.get("x-request-id"));
});

test("what fails here is one line without the error's words", async () => {
  const address = process.env.BACKEND_URL;
  process.env.BACKEND_URL = TITLE;
  assert.equal((await ask(list, { cookie: "todochat_own_session=a" })).status, 500);
  process.env.BACKEND_URL = address;
  for (const line of lines) {
    JSON.parse(line);
    assert.doesNotMatch(line, new RegExp(TITLE));
  }
  assert.equal(lines.length, 2);
});

test("an account that is deleted right after a refresh leaves no cookie", async () => {
  const response = await ask(deleteAccount, { body: JSON.stringify({ password: "a long one" }) });
  assert.equal(response.status, 204);
  for (const cookie of response.headers.getSetCookie()) assert.match(cookie, /Max-Age=0/);
});
