import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { RequestError } from "@/lib/client";
import { textsIn } from "@/lib/texts";
import de from "@/lib/texts/de";
import { doingInWords, follow, grown, NOTHING, type Part, type Progress } from "@/lib/turn";

const SAID = { id: "5f0c8d1e-0000-4000-8000-00000000000f", message: "add buy milk" };
const ANSWER = { conversation_id: "c", reply: "Added. Done.", assistant: "rule-based", changes: [] };
const END: [string, Part][] = [["1.1.1", { type: "data-reply", data: ANSWER }], ["1.1.2", { type: "finish" }]];

Object.assign(globalThis, { document: { documentElement: { dataset: { timeoutMs: "200" } } } });

let asked: { after: string; id: string }[] = [];
let lost: boolean[] = [];
let seen: Progress[] = [];
let changed: number[] = [];
beforeEach(() => {
  [asked, lost, seen, changed] = [[], [], [], []];
});

const lines = (events: [string, Part][]) => events.map(([id, part]) => `id: ${id}\ndata: ${JSON.stringify(part)}\n\n`).join("");
const streamOf = (...chunks: (string | Uint8Array)[]) =>
  new Response(
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk);
        controller.close();
      },
    }),
  );

/** The server gives these answers, one after the other; the last one again and again. */
function answering(...answers: (() => Response | Promise<Response>)[]): void {
  mock.method(globalThis, "fetch", async (_path: string, { body, signal }: { body: string; signal: AbortSignal }) => {
    asked.push(JSON.parse(body) as (typeof asked)[0]);
    const answer = answers[Math.min(asked.length, answers.length) - 1]!;
    return Promise.race([answer(), new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))]);
  });
}

const ask = (signal = new AbortController().signal, pause: (attempt: number) => Promise<void> = async () => undefined) =>
  follow(SAID, {
    signal,
    onProgress: (progress) => void seen.push(progress),
    onChange: ({ id }) => void changed.push(id),
    onLost: (now) => void lost.push(now),
    pause,
  });

test("the text grows as it comes, also where letters and events are cut in two", async () => {
  const whole = new TextEncoder().encode(
    ": still here\n\n" +
      lines([["1.0.1", { type: "start-step" }], ["1.0.2", { type: "text-delta", delta: "für " }], ["1.0.3", { type: "text-delta", delta: "dich" }], ...END]) +
      "data: [DONE]\n\n",
  );
  answering(() => streamOf(...Array.from(whole, (byte) => Uint8Array.of(byte))));
  assert.deepEqual(await ask(), ANSWER);
  const texts = seen.map(({ steps }) => steps.map(({ text }) => text).join());
  assert.deepEqual([...new Set(texts)], ["", "für ", "für dich"]);
  assert.equal(asked.length, 1);
});

test("a stream that is cut is gone on with from its last place, as the same message", async () => {
  const begun = lines([["0.0.0", { type: "start" }], ["1.0.1", { type: "start-step" }], ["1.0.2", { type: "text-delta", delta: "Added." }]]);
  answering(
    () => streamOf(begun, "id: 1.0.3\ndata: {\"type\":"), // half an event is none
    () => Promise.reject(new TypeError("network")),
    () => new Response("Bad Gateway", { status: 502 }),
    () => new Response("<h1>an older server</h1>", { status: 404 }),
    () => streamOf(lines([["1.0.3", { type: "text-delta", delta: " Done." }], ...END])),
  );
  assert.deepEqual(await ask(), ANSWER);
  assert.deepEqual(asked.map(({ after }) => after), ["", "1.0.2", "1.0.2", "1.0.2", "1.0.2"]);
  assert.equal(new Set(asked.map(({ id }) => id)).size, 1);
  assert.equal(seen.at(-1)?.steps[0]?.text, "Added. Done.");
  assert.ok(lost.includes(true));
  assert.equal(lost.at(-1), false);
});

test("a connection that does not come back is given up, and that is said", async () => {
  answering(() => streamOf());
  await assert.rejects(ask(), (error) => error instanceof RequestError && /does not come back/.test(error.message));
  assert.equal(asked.length, 8);
});

test("a connection that comes back again and again is not given up while the answer goes on", async () => {
  const pauses: number[] = [];
  const words = Array.from({ length: 20 }, (_, index) => () => streamOf(lines([[`1.0.${index + 1}`, { type: "text-delta", delta: `${index} ` }]])));
  answering(...words, () => streamOf(lines(END)));
  assert.deepEqual(await ask(undefined, async (attempt) => void pauses.push(attempt)), ANSWER);
  assert.equal(asked.length, 21);
  assert.ok(pauses.every((attempt) => attempt === 0));
});

test("a stream that says the same again and again does not go on", async () => {
  for (const same of [["0.0.0"], ["0.0.0", "0.0.1", "0.0.2"]]) {
    asked.length = 0;
    const parts = same.map((place): [string, Part] => [place, { type: "start" }]);
    answering(() => streamOf(lines(parts), "id: 0.0.3\ndata: no JSON\n\n"));
    await assert.rejects(ask(), (error) => error instanceof RequestError && /does not come back/.test(error.message));
    assert.equal(asked.length, 8);
  }
});

test("a stream that says nothing is as good as cut", async () => {
  answering(
    () => new Promise<Response>(() => {}),
    () => streamOf(lines(END)),
  );
  assert.deepEqual(await ask(), ANSWER);
  assert.equal(asked.length, 2);
});

test("a change is told before the answer is whole", async () => {
  const change = { id: 7, kind: "add", todo_id: "t", before: null, after: { title: "buy milk" } };
  answering(
    () => streamOf(lines([["1.0.2", { type: "tool-output-available", toolCallId: "a", output: { change } }]])),
    () => (assert.deepEqual(changed, [7]), streamOf(lines(END))),
  );
  await ask();
  assert.deepEqual(changed, [7]);
});

test("a refusal is final", async () => {
  answering(() => Response.json({ detail: "The message before is still being answered." }, { status: 409 }));
  await assert.rejects(ask(), (error) => error instanceof RequestError && error.status === 409 && /still being/.test(error.message));
  assert.equal(asked.length, 1);
});

test("whoever leaves asks no more", async () => {
  const page = new AbortController();
  answering(() => {
    page.abort();
    return Promise.reject(new TypeError("network"));
  });
  await assert.rejects(ask(page.signal));
  assert.equal(asked.length, 1);
});

const shown = (...parts: Part[]) => parts.reduce(grown, NOTHING);

test("what is done is told as it is done, and what failed with its reason", () => {
  const call = (toolCallId: string, toolName: string, input: object) => ({ type: "tool-input-available", toolCallId, toolName, input }) as Part;
  const change = { id: 1, kind: "add", todo_id: "t", before: null, after: { title: "buy milk" } };
  const begun = [
    { type: "start-step" },
    call("a", "add_todo", { title: "buy milk" }),
    call("b", "complete_todo", { number: 7 }),
    call("c", "new_tool", {}),
  ];
  const german = textsIn("de", de.table);
  const linesOf = (...parts: Part[]) => shown(...parts).steps[0]?.doings.map((one) => `${doingInWords(one)}: ${one.state}`);
  const inGerman = (...parts: Part[]) => shown(...parts).steps[0]?.doings.map((one) => doingInWords(one, german));
  assert.deepEqual(linesOf(...begun), ["Adding buy milk: running", "Ticking off number 7: running", "new tool: running"]);
  assert.deepEqual(inGerman(...begun), ["Fügt buy milk hinzu", "Hakt Nummer 7 ab", "new tool"]);
  const ended = [
    { type: "tool-output-available", toolCallId: "a", output: { change } },
    { type: "tool-output-error", toolCallId: "b", errorText: "There is no todo 7." },
    { type: "tool-output-available", toolCallId: "c", output: {} },
  ];
  assert.deepEqual(linesOf(...begun, ...ended), ["Added buy milk: done", "There is no todo 7.: failed", "new tool: done"]);
  assert.deepEqual(inGerman(...begun, ...ended)?.[0], "buy milk hinzugefügt");
});

test("what came of a step that is void goes, and that of the steps before stays", () => {
  const delta = (text: string) => ({ type: "text-delta", delta: text });
  const start = { type: "start-step" };
  const reset = { type: "reset-step" };
  const end = { type: "finish-step" };
  const texts = (...parts: Part[]) => shown(...parts).steps.map(({ text }) => text);
  assert.deepEqual(texts(start, delta("one"), end, start, delta("tw"), reset, start, delta("two"), end), ["one", "two"]);
  assert.deepEqual(texts(start, delta("tw"), reset, delta("two")), ["two"]);
});
