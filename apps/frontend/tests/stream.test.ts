import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, afterEach, mock, test } from "node:test";

import { NextRequest } from "next/server";

import { GET as exported } from "@/app/api/account/export/route";
import { POST as chat } from "@/app/api/chat/stream/route";
import * as mcp from "@/app/mcp/route";

import { backendServer } from "./backend-server";

type Heard = { request: IncomingMessage; response: ServerResponse; body: string };

let heard: Heard[] = [];
const arrivals = new EventEmitter();
const arrival = async () => ((await once(arrivals, "one")) as [Heard])[0];
const backend = backendServer(async (request, response) => {
  const one = { request, response, body: await text(request) };
  heard.push(one);
  arrivals.emit("one", one);
}).listen(0, "127.0.0.1");
await once(backend, "listening");
process.env.BACKEND_URL = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
for (const name of ["log", "error"] as const) mock.method(console, name, () => {});
afterEach(() => {
  heard = [];
});
after(() => {
  backend.closeAllConnections();
  backend.close();
});

const context = { params: Promise.resolve({}) };
const SAID = JSON.stringify({ id: "i", message: "hello", conversation_id: "c", after: "1.0.2", secret: "x" });

function say(signal?: AbortSignal): Promise<Response> {
  const headers = {
    host: "todo.example",
    origin: "http://todo.example",
    cookie: "todochat_own_session=token",
    "content-type": "application/json",
    "content-length": String(SAID.length),
    "accept-encoding": "gzip",
  };
  return chat(new NextRequest("http://todo.example/api/chat/stream", { method: "POST", headers, body: SAID, signal }), context);
}

test("an export comes piece by piece, and what is broken off is no whole document", async () => {
  const headers = { host: "todo.example", cookie: "todochat_own_session=token" };
  const answer = exported(new NextRequest("http://todo.example/api/account/export", { headers }), context);
  const { response } = await arrival();
  response.writeHead(200, { "content-type": "application/json" });
  response.write('{"todos":[');
  const document = await answer;
  assert.equal(document.headers.get("content-disposition"), 'attachment; filename="todochat.json"');
  const reader = document.body!.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), '{"todos":[');
  response.destroy();
  await assert.rejects(reader.read());
});

test("a stream comes piece by piece, to be kept and compressed by nobody", async () => {
  const answer = say();
  const { request, response, body } = await arrival();
  assert.equal(request.headers.authorization, "Bearer token");
  assert.equal(request.headers["accept-encoding"], "identity");
  assert.deepEqual(JSON.parse(body), { id: "i", message: "hello", conversation_id: "c", after: "1.0.2" });
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "set-cookie": "theirs=1" });
  response.write("data: 1\n\n");
  const streamed = await answer;
  assert.equal(streamed.headers.get("cache-control"), "no-store, no-transform");
  assert.equal(streamed.headers.get("content-type"), "text/event-stream; charset=utf-8");
  assert.deepEqual(streamed.headers.getSetCookie(), []);
  const reader = streamed.body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, "data: 1\n\n");
  response.write("data: 2\n\n");
  assert.equal((await reader.read()).value, "data: 2\n\n");
  response.destroy(); // a cut is an end without the last event, no error of ours
  assert.deepEqual(await reader.read(), { done: true, value: undefined });
});

test("who leaves ends it at the backend, before and after its first piece", async () => {
  for (const begun of [false, true]) {
    const page = new AbortController();
    const answer = say(page.signal);
    const { response } = await arrival();
    const closed = once(response, "close");
    if (begun) {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n");
      await answer;
    }
    page.abort();
    await closed;
    await answer;
  }
});

test("a message whose connection is lost before its answer begins is sent once more, as its id makes it one", async () => {
  const answer = say();
  (await arrival()).response.destroy();
  (await arrival()).response.writeHead(200, { "content-type": "text/event-stream" }).end("data: 1\n\n");
  assert.equal(await (await answer).text(), "data: 1\n\n");
  assert.equal(heard[0]!.body, heard[1]!.body);
  const lost = say();
  for (let time = 0; time < 2; time++) (await arrival()).response.destroy();
  assert.equal((await lost).status, 503);
});

test("what the backend refuses is said in its words, and a session that is over is renewed", async () => {
  let answer = say();
  (await arrival()).response.writeHead(409).end('{"detail": "Wait for it."}');
  assert.equal((await answer).status, 409);
  assert.deepEqual(await (await answer).json(), { detail: "Wait for it." });
  answer = say();
  (await arrival()).response.writeHead(401).end("{}");
  assert.equal((await answer).status, 401);
});

const outside = (method: "POST" | "GET" | "DELETE", headers: Record<string, string> = {}, body?: string) =>
  mcp[method](new NextRequest("http://todo.example/mcp?query=1", { method, headers, body }), context);

test("an outside client's token and protocol reach the backend; cookies, origin and query do not", async () => {
  const body = '{"jsonrpc": "2.0", "id": 1, "method": "ping"}';
  for (const method of ["POST", "GET", "DELETE"] as const) {
    const sent = method === "POST" ? body : undefined;
    const answer = outside(
      method,
      {
        authorization: "Bearer todochat_pat",
        cookie: "todochat_own_session=token",
        origin: "http://evil.example",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2025-06-18",
        "x-forwarded-for": "10.0.0.1",
        ...(sent && { "content-type": "application/json", "content-length": String(sent.length) }),
      },
      sent,
    );
    const { request, response, body: got } = await arrival();
    assert.equal(`${request.method} ${request.url}`, `${method} /mcp`);
    assert.equal(got, sent ?? "");
    assert.equal(request.headers.authorization, "Bearer todochat_pat");
    assert.equal(request.headers["mcp-protocol-version"], "2025-06-18");
    for (const name of ["cookie", "origin", "x-forwarded-for"]) assert.equal(request.headers[name], undefined);
    response.writeHead(401, { "www-authenticate": "Bearer", "set-cookie": "a=b", "mcp-session-id": "s" }).end('{"error": 1}');
    const { status, headers } = await answer;
    assert.equal(status, 401);
    assert.equal(headers.get("www-authenticate"), "Bearer");
    assert.equal(headers.get("mcp-session-id"), "s");
    assert.deepEqual(headers.getSetCookie(), []);
    assert.equal(await (await answer).text(), '{"error": 1}');
  }
});

test("a cookie is worth nothing at /mcp", async () => {
  const answer = outside("GET", { cookie: "todochat_own_session=token" });
  const { request, response } = await arrival();
  assert.equal(request.headers.authorization, undefined);
  response.writeHead(401).end();
  assert.equal((await answer).status, 401);
});

test("what is too long, or does not say how long it is, goes no further", async () => {
  assert.equal((await outside("POST", { "content-length": String(32 * 1024 + 1) }, "{}")).status, 413);
  assert.equal((await outside("POST", {}, "{}")).status, 413);
  assert.deepEqual(heard, []);
});

test("an answer at /mcp that streams is passed on as it comes", async () => {
  const answer = outside("POST", { "content-length": "2" }, "{}");
  const { response } = await arrival();
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write("data: 1\n\n");
  const reader = (await answer).body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, "data: 1\n\n");
  response.end();
});
