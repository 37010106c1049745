import assert from "node:assert/strict";
import { test } from "node:test";

import { dueInWords, isOverdue } from "@/lib/due";
import { newId } from "@/lib/id";

const NOW = new Date(2026, 2, 11, 10, 0);

test("a due date is told as people say it", () => {
  const told = { "2026-03-10": /^Yesterday$/, "2026-03-11": /^Today$/, "2026-03-12": /^Tomorrow$/ };
  for (const [due, words] of Object.entries(told)) assert.match(dueInWords(due, NOW), words);
  assert.match(dueInWords("2026-03-12T17:05", NOW), /^Tomorrow, 0?(17|5):05/);
  assert.match(dueInWords("2026-03-20", NOW), /20/);
  assert.match(dueInWords("2027-03-20", NOW), /2027/);
});

test("overdue is what is open and over", () => {
  const cases: [string | null, boolean, boolean][] = [
    ["2026-03-10", false, true],
    ["2026-03-10", true, false],
    ["2026-03-11", false, false],
    ["2026-03-11T09:59", false, true],
    ["2026-03-11T10:01", false, false],
    [null, false, false],
  ];
  for (const [due, completed, overdue] of cases) assert.equal(isOverdue({ due, completed }, NOW), overdue, String(due));
});

test("an id is a UUID, another one each time", () => {
  assert.match(newId(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(newId(), newId());
});
