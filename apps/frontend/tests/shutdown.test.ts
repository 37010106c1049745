import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { test } from "node:test";

type Answer = { body: string; connection: string | undefined };

test("after SIGTERM no request is lost, every connection is given up, and the process ends", async (context) => {
  const server = spawn(process.execPath, ["--import", "tsx", "tests/shutdown-server.ts"]);
  const exited = once(server, "exit");
  const idle = new Agent({ keepAlive: true });
  const busy = new Agent({ keepAlive: true, maxSockets: 1 });
  context.after(() => {
    server.kill("SIGKILL");
    idle.destroy();
    busy.destroy();
  });
  const [port] = (await once(server.stdout, "data")) as [Buffer];
  const ask = async (agent: Agent, path = "/"): Promise<Answer> => {
    const [response] = (await once(get({ port: Number(port), path, agent }), "response")) as [IncomingMessage];
    return { body: await text(response), connection: response.headers.connection };
  };

  assert.deepEqual(await ask(idle), { body: "quick", connection: "keep-alive" });
  assert.deepEqual(await ask(busy), { body: "quick", connection: "keep-alive" });
  const [stream] = (await once(get({ port: Number(port), path: "/stream" }), "response")) as [IncomingMessage];
  const ended: string[] = [];
  const cut = text(stream).then(assert.fail, () => (ended.push("stream"), Date.now() - started));
  const slow = ask(new Agent({ keepAlive: true }), "/slow").finally(() => ended.push("slow"));
  await once(server.stdout, "data"); // it has arrived
  const started = Date.now();
  server.kill("SIGTERM");

  let last = "keep-alive";
  while (last === "keep-alive") last = (await ask(busy)).connection ?? "";
  assert.equal(last, "close");
  while (Date.now() - started < 500) assert.deepEqual(await ask(busy), { body: "quick", connection: "close" });
  assert.deepEqual(await slow, { body: "slow", connection: "close" });
  assert.deepEqual(await exited, [0, null]);
  assert.ok((await cut) >= 1_000, "the stream was cut at once");
  assert.deepEqual(ended, ["stream", "slow"]);
  assert.ok(Date.now() - started < 10_000, "the idle connection kept the process");
  await assert.rejects(ask(new Agent()), /ECONNREFUSED/);
});
