import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, mock, test } from "node:test";

import { GET as startup } from "@/app/health/startup/route";
import { files, isOwn, ofAnotherBuild, type Files } from "@/lib/statics";

for (const name of ["log", "error"] as const) mock.method(console, name, () => {});
const before = process.cwd();
const pod = await mkdtemp(join(tmpdir(), "pod-"));
process.chdir(pod);
await mkdir(".next/static/chunks", { recursive: true });
await writeFile(".next/BUILD_ID", "new");
await writeFile(".next/static/chunks/mine.js", "mine");

let theirs: Files = { build: "old", own: ["chunks/old.js", "chunks/old.css", "../../secret.js", "chunks/.hidden.js"], others: ["chunks/older.js"] };
let asked: string[] = [];
const peer = createServer((request, response) => {
  asked.push(request.url ?? "");
  if (request.url === "/health/files") response.end(JSON.stringify(theirs));
  else response.writeHead(request.url?.includes("broken") ? 404 : 200).end(`content of ${request.url}`);
}).listen(0, "127.0.0.1");
await new Promise((resolve) => peer.once("listening", resolve));
process.env.PEERS = `http://127.0.0.1:${(peer.address() as AddressInfo).port}`;
after(async () => {
  peer.close();
  process.chdir(before);
  await rm(pod, { recursive: true });
});

test("a pod that starts has what the pods of the other build have, and no more", async () => {
  delete process.env.BACKEND_URL;
  assert.equal((await startup()).status, 503);
  process.env.BACKEND_URL = "http://backend.example";
  assert.equal((await startup()).status, 200);
  assert.deepEqual(asked.sort(), ["/_next/static/chunks/old.css", "/_next/static/chunks/old.js", "/health/files"]);
  assert.deepEqual((await files()).others.sort(), ["chunks/old.css", "chunks/old.js"]);
  assert.deepEqual((await readdir(".next/cache/static/chunks")).sort(), ["old.css", "old.js"]);
  const answer = await ofAnotherBuild("chunks/old.css");
  assert.equal(await answer?.text(), "content of /_next/static/chunks/old.css");
  assert.equal(answer?.headers.get("content-type"), "text/css; charset=utf-8");
  assert.match(answer?.headers.get("cache-control") ?? "", /immutable/);
});

test("what it is asked for and has not, it fetches from the others, and a hundred that nobody has are one question a second later", async () => {
  assert.equal(await isOwn("chunks/mine.js"), true);
  assert.equal(await isOwn("chunks/newer.js"), false);
  theirs = { build: "newer", own: ["chunks/newer.js"], others: [] };
  asked = [];
  assert.deepEqual((await Promise.all([1, 2, 3].map(() => ofAnotherBuild("chunks/newer.js")))).map((one) => one?.status), [200, 200, 200]);
  assert.deepEqual(asked, ["/health/files", "/_next/static/chunks/newer.js"]);
  const start = Date.now();
  const nobodys = Array.from({ length: 100 }, (_, number) => ofAnotherBuild(`chunks/nobodys-${number}.js`));
  assert.deepEqual(new Set(await Promise.all(nobodys)), new Set([undefined]));
  assert.equal(asked.filter((path) => path === "/health/files").length, 2);
  assert.ok(Date.now() - start > 900);
});

test("of a pod of the same build it has the other build", async () => {
  theirs = { build: "new", own: ["chunks/mine.js"], others: ["chunks/before.js"] };
  assert.equal(await (await ofAnotherBuild("chunks/before.js"))?.text(), "content of /_next/static/chunks/before.js");
});

test("what is no file of a build is asked of nobody", async () => {
  asked = [];
  for (const name of ["../../server.js", "chunks/../../BUILD_ID", "chunks/x.html", "/etc/passwd.js", "%2e%2e/x.js", ""]) {
      assert.equal(await ofAnotherBuild(name), undefined, name);
  }
  assert.deepEqual(asked, []);
});

test("others that do not answer, or break off, are no obstacle", async () => {
  theirs = { build: "broken", own: ["chunks/broken.js", "chunks/whole.js"], others: [] };
  assert.equal(await ofAnotherBuild("chunks/broken.js"), undefined);
  peer.close();
  peer.closeAllConnections();
  assert.equal(await ofAnotherBuild("chunks/other.js"), undefined);
  process.env.PEERS = "http://does-not-exist.invalid:3000";
  assert.equal(await ofAnotherBuild("chunks/other.js"), undefined);
  assert.equal((await ofAnotherBuild("chunks/old.js"))?.status, 200);
});
