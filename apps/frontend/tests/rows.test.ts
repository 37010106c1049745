import assert from "node:assert/strict";
import { test } from "node:test";

import { RowsInFlight } from "@/lib/rows";
import type { Todo } from "@/lib/types";

const todo = (id: string, title = id): Todo => ({ id, title, completed: false, created_at: "", completed_at: null });

test("a read that began before a change ends does not bring back what the change took away", async () => {
  const rows = new RowsInFlight();
  rows.begin("a");
  const merge = await rows.read(async () => [todo("a", "old"), todo("b")]);
  assert.deepEqual(merge([]), [todo("b")]);
});

test("nor does one that is answered when the change is through", async () => {
  const rows = new RowsInFlight();
  assert.ok(!rows.busy);
  const merge = await rows.read(async () => {
    rows.begin("a");
    rows.end("a");
    assert.ok(rows.busy);
    return [todo("a", "old")];
  });
  assert.ok(!rows.busy);
  assert.deepEqual(merge([todo("a", "new")]), [todo("a", "new")]);
});

test("the later of two reads is shown, whichever is answered first", async () => {
  const rows = new RowsInFlight();
  let answer: (todos: Todo[]) => void = () => {};
  const early = rows.read(() => new Promise((resolve) => (answer = resolve)));
  const later = await rows.read(async () => [todo("new")]);
  answer([todo("old")]);
  assert.deepEqual((await early)(later([])), [todo("new")]);
});

test("rows that nobody changes are as the server has them", async () => {
  const rows = new RowsInFlight();
  rows.begin("a");
  rows.end("a");
  assert.deepEqual((await rows.read(async () => [todo("a", "new")]))([todo("a"), todo("gone")]), [todo("a", "new")]);
});
