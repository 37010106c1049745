import assert from "node:assert/strict";
import { test } from "node:test";

import { changeInWords, whoInWords } from "@/lib/changes";
import { dueAsKept, dueInWords } from "@/lib/due";
import { ENGLISH, textsIn } from "@/lib/texts";
import de from "@/lib/texts/de";
import type { Change } from "@/lib/types";

const told = (kind: string, before: Change["before"], after: Change["after"]) => changeInWords({ id: 1, todo_id: "t", kind, before, after });
const milk = { title: "buy milk", due: null, priority: null, notes: "" };

test("a change says what it changed", () => {
  assert.equal(told("add", null, milk), "Added buy milk");
  assert.equal(told("update", milk, { ...milk, title: "buy oats" }), "Renamed buy milk to buy oats");
  assert.equal(told("update", { ...milk, due: "2026-12-01" }, { ...milk, title: "x", notes: "2 l" }), "Renamed buy milk to x: no date, notes");
  assert.equal(told("delete", milk, null), "Deleted buy milk");
  const undone = [told("undo", null, milk), told("undo", milk, milk), told("undo", milk, null)];
  assert.deepEqual(undone, ["Brought back buy milk", "Took back a change of buy milk", "Took buy milk off again"]);
});

test("a date is told as the list tells it, in the page's language, and as it is kept where the day is not known", () => {
  const due = `${new Date(Date.now() + 24 * 60 * 60 * 1000).toLocaleDateString("sv-SE")}T18:00`;
  const after = { ...milk, due, priority: "high" as const };
  const change = { id: 1, todo_id: "t", kind: "update", before: milk, after };
  assert.equal(changeInWords(change), `Changed buy milk: due ${dueInWords(after)}, high priority`);
  assert.match(changeInWords(change), /due Tomorrow, 0?6:00/);
  assert.equal(changeInWords(change, textsIn("de", de.table)), "buy milk geändert: fällig Morgen, 18:00, hohe Priorität");
  assert.equal(changeInWords(change, ENGLISH, dueAsKept), `Changed buy milk: due ${due.replace("T", " ")}, high priority`);
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
