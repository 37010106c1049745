import assert from "node:assert/strict";
import { test } from "node:test";

import { dueInWords, isDueToday, isOverdue } from "@/lib/due";
import { newId } from "@/lib/id";
import { ENGLISH } from "@/lib/texts";

const NOW = new Date(2026, 2, 11, 10, 0);

test("a due date is told as people say it", () => {
  const told = { "2026-03-10": /^Yesterday$/, "2026-03-11": /^Today$/, "2026-03-12": /^Tomorrow$/ };
  for (const [due, words] of Object.entries(told)) assert.match(dueInWords({ due }, ENGLISH, NOW), words);
  assert.match(dueInWords({ due: "2026-03-12T17:05" }, ENGLISH, NOW), /^Tomorrow, 0?(17|5):05/);
  assert.match(dueInWords({ due: "2026-03-20" }, ENGLISH, NOW), /20/);
  assert.match(dueInWords({ due: "2027-03-20" }, ENGLISH, NOW), /2027/);
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
  for (const [due, completed, overdue] of cases) assert.equal(isOverdue({ due, completed }, {}, NOW), overdue, String(due));
});

test("a time is one on the clocks of its zone, which is named where this browser's show another", () => {
  const due = "2026-03-11T18:00";
  const told = (zone: string) => dueInWords({ due, due_time_zone: zone }, ENGLISH, NOW);
  const overdue = (zone: string, now: string) => isOverdue({ due, due_time_zone: zone, completed: false }, {}, new Date(now));
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  assert.doesNotMatch(told(here), /\(/);
  assert.match(told("Pacific/Kiritimati"), /^Today, 0?(18|6):00.* \(Pacific\/Kiritimati\)$/);
  for (const [zone, over] of [
    ["Europe/Berlin", "17:00"],
    ["America/New_York", "22:00"], // summer time already
    ["Asia/Kolkata", "12:30"],
  ] as const) {
    assert.equal(overdue(zone, `2026-03-11T${over}:00Z`), false, zone);
    assert.equal(overdue(zone, `2026-03-11T${over}:01Z`), true, zone);
  }
  assert.equal(overdue("Mars/Olympus", "2026-03-09T00:00:00Z"), false, "a zone that this browser does not know");
  const hour = { due: "2026-03-29T03:30", due_time_zone: "Europe/Berlin", completed: false }; // clocks went on that night
  assert.equal(isOverdue(hour, {}, new Date("2026-03-29T01:29:59Z")), false);
  assert.equal(isOverdue(hour, {}, new Date("2026-03-29T01:30:01Z")), true);
});

test("it is today on the clocks of the user's account, wherever the browser is", () => {
  const now = new Date("2026-03-11T19:00:00Z");
  const tokyo = { ...ENGLISH, timeZone: "Asia/Tokyo" };
  assert.equal(dueInWords({ due: "2026-03-12" }, tokyo, now), "Today");
  assert.equal(dueInWords({ due: "2026-03-12" }, { ...ENGLISH, timeZone: "UTC" }, now), "Tomorrow");
  assert.equal(isDueToday({ due: "2026-03-12T09:00" }, tokyo, now), true);
  assert.equal(isOverdue({ due: "2026-03-11", completed: false }, tokyo, now), true);
  assert.equal(isOverdue({ due: "2026-03-11", completed: false }, { timeZone: "UTC" }, now), false);
  assert.match(dueInWords({ due: "2026-03-12T09:00", due_time_zone: "Asia/Tokyo" }, tokyo, now), /^Today, 0?9:00[^(]*$/);
  assert.match(dueInWords({ due: "2026-03-12T09:00", due_time_zone: "UTC" }, tokyo, now), / \(UTC\)$/);
});

test("an id is a UUID, another one each time", () => {
  assert.match(newId(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(newId(), newId());
});
