import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { mock, test, type TestContext } from "node:test";

import { BackendError, backendUrl, callBackend, fetchTodos } from "@/lib/backend";
import { EVERYTHING } from "@/lib/listing";

import { backendServer } from "./backend-server";

/** Serves `listener` on a free port as the backend until the test ends; what is logged stays silent. */
async function withBackend(context: TestContext, listener: RequestListener): Promise<void> {
  const server = backendServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  process.env.BACKEND_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  mock.method(console, "error", () => {});
  context.after(() => {
    mock.restoreAll();
    server.closeAllConnections();
    server.close();
  });
}

const failsWith = (status: number, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BackendError);
  assert.equal(error.status, status);
  assert.match(error.message, message);
  return true;
};

test("a backend that does not answer in time is a 504 in words", async (context) => {
  await withBackend(context, () => {});
  await assert.rejects(callBackend("/api/v1/todos", { timeoutMs: 50 }), failsWith(504, /took too long/));
});

test("an answer that breaks off is a 504 as well, not an endless wait", async (context) => {
  await withBackend(context, (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write("[");
  });
  await assert.rejects(callBackend("/api/v1/todos", { timeoutMs: 50 }), failsWith(504, /took too long/));
});

test("a backend that is away is a 503 in words", async (context) => {
  await withBackend(context, () => {});
  process.env.BACKEND_URL = "http://127.0.0.1:1";
  await assert.rejects(callBackend("/api/v1/todos"), failsWith(503, /not answering/));
});

test("a lost connection is tried once more for a read, never for a write", async (context) => {
  const calls: string[] = [];
  await withBackend(context, (request, response) => {
    calls.push(request.method ?? "");
    if (calls.length === 1 || request.method === "POST") request.socket.destroy();
    else response.end("[]");
  });
  assert.deepEqual(await callBackend("/api/v1/todos"), []);
  await assert.rejects(callBackend("/api/v1/todos", { method: "POST", body: {} }), failsWith(503, /not answering/));
  assert.deepEqual(calls, ["GET", "GET", "POST"]);
});

test("who answers at the backend's address without saying which request it was is not believed", async (context) => {
  await withBackend(context, (_request, response) => {
    response.removeHeader("x-request-id");
    response.writeHead(404).end("not found, says a proxy");
  });
  await assert.rejects(callBackend("/api/v1/todos"), failsWith(503, /not answering/));
});

test("the backend's own refusals keep their sentence, its failures do not show", async (context) => {
  await withBackend(context, (request, response) => {
    const answers: Record<string, [number, unknown]> = {
      "/taken": [409, { detail: "taken" }],
      "/invalid": [422, { detail: [{ msg: "title is too long" }] }],
      "/broken": [500, { detail: "secret internals" }],
    };
    const [status, body] = answers[request.url ?? ""] ?? [404, {}];
    response.writeHead(status).end(JSON.stringify(body));
  });
  await assert.rejects(callBackend("/taken"), failsWith(409, /^taken$/));
  await assert.rejects(callBackend("/invalid"), failsWith(422, /title is too long/));
  await assert.rejects(callBackend("/broken"), failsWith(502, /not answering/));
});

test("a missing or foreign address names the variable", () => {
  for (const value of ["", "backend:8001", "file:///etc/passwd"]) {
    process.env.BACKEND_URL = value;
    assert.throws(backendUrl, /BACKEND_URL is ".*"; set it/);
  }
});

test("the list is asked for once, so that it is of one moment, and hears where the rest begins", async (context) => {
  const asked: string[] = [];
  const [milk, oats] = [{ title: "Milk", completed: false }, { title: "Oats", completed: true }];
  let known = true;
  await withBackend(context, (request, response) => {
    const url = request.url ?? "";
    asked.push(url);
    if (!url.includes("/overview")) return response.end(JSON.stringify([oats, milk]));
    response.statusCode = known ? 200 : 422;
    const counts = { open: 150, done: 1 };
    const parts = { open: { todos: [milk], after: "abc=" }, done: { todos: [oats], after: null }, counts };
    response.end(JSON.stringify(known ? parts : { detail: "it is no id" }));
  });
  const rest = { open: "abc=", done: null };
  assert.deepEqual(await fetchTodos("token", EVERYTHING), { todos: [milk, oats], rest, counts: { open: 150, done: 1 } });
  assert.deepEqual(asked, ["/api/v1/todos/overview?sort=-number&open=50&done=50"]);
  asked.length = 0;
  known = false; // a backend of the version before
  const today = { view: "today", q: "milk", priority: "high", sort: "due" } as const;
  const older = { todos: [milk], rest: { open: null, done: null }, counts: null };
  assert.deepEqual(await fetchTodos("token", today, { open: 5000 }), older);
  const which = "q=milk&priority=high&sort=due&due=today";
  assert.deepEqual(asked, [`/api/v1/todos/overview?${which}&open=1000&done=0`, `/api/v1/todos?${which}&limit=1000`]);
});
