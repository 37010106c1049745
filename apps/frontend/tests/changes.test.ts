import assert from "node:assert/strict";
import { test } from "node:test";

import { changeInWords, whoInWords } from "@/lib/changes";
import type { Change } from "@/lib/types";

const told = (kind: string, before: Change["before"], after: Change["after"]) => changeInWords({ id: 1, todo_id: "t", kind, before, after });
const milk = { title: "buy milk", due: null, priority: null, notes: "" };

test("a change says what it changed", () => {
  assert.equal(told("add", null, milk), "Added buy milk");
  assert.equal(told("update", milk, { ...milk, title: "buy oats" }), "Renamed buy milk to buy oats");
  assert.equal(told("update", milk, { ...milk, due: "2026-12-01T18:00", priority: "high" }), "Changed buy milk: due 2026-12-01 18:00, high priority");
  assert.equal(told("update", { ...milk, due: "2026-12-01" }, { ...milk, title: "x", notes: "2 l" }), "Renamed buy milk to x: no date, notes");
  assert.equal(told("delete", milk, null), "Deleted buy milk");
  const undone = [told("undo", null, milk), told("undo", milk, milk), told("undo", milk, null)];
  assert.deepEqual(undone, ["Brought back buy milk", "Took back a change of buy milk", "Took buy milk off again"]);
});

test("a change of a kind that a newer server has is a change", () => {
  assert.equal(told("toString", milk, milk), "Changed buy milk");
});

test("who did it is named: an outside client by its token's name, a model by its own", () => {
  const names = [["user", null], ["built-in", null], ["model", "gpt-oss"], ["client", "My editor"], ["newer", null]] as const;
  assert.deepEqual(
    names.map(([actor, actor_name]) => whoInWords({ actor, actor_name })),
    ["You", "Built-in assistant", "Assistant gpt-oss", "Outside client My editor", "Assistant"],
  );
});
