import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { mock, test, type TestContext } from "node:test";

import { NextRequest } from "next/server";

import * as account from "@/app/api/account/route";
import * as login from "@/app/api/auth/login/route";
import * as logout from "@/app/api/auth/logout/route";
import * as signup from "@/app/api/auth/signup/route";
import * as chat from "@/app/api/chat/route";
import * as todos from "@/app/api/todos/route";

import { backendServer } from "./backend-server";
import * as live from "@/app/health/live/route";
import * as ready from "@/app/health/ready/route";

type Answer = [status: number, body?: unknown];
type Handler = (request: NextRequest, context: { params: Promise<Record<string, string>> }) => Promise<Response>;

const ROUTES: Record<string, Record<string, unknown>> = {
  "/health/live": live,
  "/health/ready": ready,
  "/api/auth/signup": signup,
  "/api/auth/login": login,
  "/api/auth/logout": logout,
  "/api/account": account,
  "/api/chat": chat,
  "/api/todos": todos,
};
const STEPS = ["live", "ready", "sign up", "ask the assistant", "list the todos", "log out", "log in", "delete the account"];

async function listen(context: TestContext, server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Serves our own handlers before a backend of one account; `faults` are wrong answers of it. Returns the address and the backend's state. */
async function serve(context: TestContext, faults: Record<string, Answer> = {}) {
  const state = { emails: [] as string[], titles: [] as string[] };
  const backend = backendServer(async (request, response) => {
    const body = JSON.parse((await text(request)) || "{}") as Record<string, string>;
    const session = { access_token: "token", expires_in: 60, user: { id: "1", email: body.email } };
    const answers: Record<string, () => Answer> = {
      "POST /api/v1/auth/signup": () => [201, (state.emails.push(body.email ?? ""), session)],
      "POST /api/v1/auth/login": () => [state.emails.includes(body.email ?? "") ? 200 : 401, session],
      "POST /api/v1/auth/logout": () => [204],
      "POST /api/v1/chat": () => [200, (state.titles.push(body.message?.replace("add ", "") ?? ""), { reply: "Added." })],
      "GET /api/v1/todos": () => [200, state.titles.map((title) => ({ title }))],
      "DELETE /api/v1/auth/me": () => [204, void (state.emails = [])],
    };
    const called = `${request.method} ${request.url?.split("?")[0]}`;
    const open = request.url?.startsWith("/api/v1/auth/") && request.method === "POST";
    const allowed = open || request.headers.authorization === "Bearer token";
    const [status, answer] = faults[called] ?? (allowed ? answers[called]?.() : [401]) ?? [404];
    response.writeHead(status).end(answer === undefined ? "" : JSON.stringify(answer));
  });
  process.env.BACKEND_URL = await listen(context, backend);
  mock.method(console, "error", () => {});
  mock.method(console, "log", () => {});
  context.after(() => mock.restoreAll());
  const frontend = createServer(async (request, response) => {
    const headers = new Headers(request.headers as Record<string, string>);
    const body = request.method === "POST" ? await text(request) : undefined;
    const asked = new NextRequest(`http://${headers.get("host")}${request.url}`, { method: request.method, headers, body });
    const handler = ROUTES[request.url ?? ""]?.[request.method ?? ""] as Handler;
    const answer = await handler(asked, { params: Promise.resolve({}) });
    response.writeHead(answer.status, { ...Object.fromEntries(answer.headers), "set-cookie": answer.headers.getSetCookie() }).end(await answer.text());
  });
  return { url: await listen(context, frontend), state };
}

async function check(url: string) {
  const child = spawn(process.execPath, ["acceptance.mjs", url]);
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { status: status as number, stdout: stdout.split("\n").filter(Boolean), stderr };
}

test("a running frontend passes, and the account is gone", async (context) => {
  const { url, state } = await serve(context);
  const passed = STEPS.map((step) => `${step}: passed`);
  assert.deepEqual(await check(`${url}/`), { status: 0, stdout: passed, stderr: "" });
  assert.deepEqual(state, { emails: [], titles: ["buy milk"] });
});

test("where nothing listens the first step is named", async () => {
  const { status, stdout, stderr } = await check("http://127.0.0.1:1");
  assert.equal(status, 1);
  assert.deepEqual(stdout, []);
  assert.match(stderr, /^live: expected 200 from GET http:\/\/127\.0\.0\.1:1\/health\/live, got no answer: .+\n$/);
});

const FAULTS: [string, Answer, RegExp][] = [
  ["POST /api/v1/auth/signup", [500], /^sign up: expected 201 from POST .*, got 502: .*not answering.*\n$/],
  ["POST /api/v1/chat", [503], /^ask the assistant: expected 200 from POST .*, got 503: .*not answering.*\n$/],
  ["POST /api/v1/chat", [200, {}], /^ask the assistant: expected a reply, got \{\}\n$/],
  ["GET /api/v1/todos", [200, []], /^list the todos: expected buy milk alone, got \[\]\n$/],
  ["POST /api/v1/auth/login", [401, { detail: "no" }], /^log in: expected 201 from POST .*, got 401: \{"detail":"no"\}\n$/],
  ["DELETE /api/v1/auth/me", [503], /^delete the account: expected 204 from DELETE .*, got 503: .*\n$/],
];
for (const [called, answer, said] of FAULTS) {
  test(`${called} that answers ${JSON.stringify(answer)} fails its step in one line, and the account is gone`, async (context) => {
    const { url, state } = await serve(context, { [called]: answer });
    const { status, stderr } = await check(url);
    assert.equal(status, 1);
    assert.match(stderr, said);
    assert.equal(state.emails.length, called.startsWith("DELETE") ? 1 : 0);
  });
}
