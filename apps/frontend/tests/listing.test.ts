import assert from "node:assert/strict";
import { test } from "node:test";

import { announce, announced, asked, beside, EVERYTHING, inOrder, listingOf, planOf, shownOf, withRest, type Listing } from "@/lib/listing";
import type { Todo } from "@/lib/types";

const todo = (id: string, more: Partial<Todo> = {}): Todo => ({ id, title: id, completed: false, created_at: "", completed_at: null, ...more });

test("an address says a listing and back, and what it cannot say is as by itself", () => {
  const listing: Listing = { view: "today", q: "milk & bread", priority: "high", sort: "title" };
  assert.deepEqual(listingOf(asked(listing)), listing);
  assert.equal(asked(EVERYTHING).size, 0);
  assert.deepEqual(listingOf(new URLSearchParams("view=mine&priority=1&sort=id&q=")), EVERYTHING);
});

test("todos are ordered as the server orders them, those that are done by when they were", () => {
  const todos = [
    todo("a", { number: 1, due: "2026-03-02", priority: "low" }),
    todo("c", { number: 3, due: "2026-03-01T10:00" }),
    todo("b", { number: 2, priority: "high" }),
    todo("x", { completed: true, completed_at: "2026-01-01" }),
    todo("y", { completed: true, completed_at: "2026-01-02" }),
  ];
  const ids = (sort: Listing["sort"]) => inOrder(todos, { ...EVERYTHING, sort }).open.map(({ id }) => id).join("");
  assert.deepEqual([ids("-number"), ids("due"), ids("-priority"), ids("title")], ["cba", "cab", "bac", "abc"]);
  assert.deepEqual(inOrder(todos, EVERYTHING).done.map(({ id }) => id), ["y", "x"]);
});

test("one that is on its way, without a number yet, is where the newest one is", () => {
  const todos = [todo("new", { created_at: "2026-01-01" }), todo("a", { number: 1 }), todo("b", { number: 2 })];
  const ids = (sort: Listing["sort"]) => inOrder(todos, { ...EVERYTHING, sort }).open.map(({ id }) => id);
  assert.deepEqual([ids("-number"), ids("due")], [["new", "b", "a"], ["a", "b", "new"]]);
});

test("a day is planned by what matters most among what is due, then by date; what is not due comes last", () => {
  const late = [todo("late", { number: 1, due: "2026-03-01" })];
  const today = [
    todo("urgent", { number: 2, due: "2026-03-02", priority: "high" }),
    todo("at nine", { number: 3, due: "2026-03-02T09:00" }),
    todo("small", { number: 4, due: "2026-03-02", priority: "low" }),
  ];
  const important = [5, 6, 7, 8].map((number) => todo(`important ${number}`, { number, priority: "high" }));
  const done = todo("done", { due: "2026-03-02", completed: true });
  assert.deepEqual(
    planOf([[...late, today[1]!], [...today, done], important]).map(({ id }) => id), // one may be overdue and due today
    ["urgent", "small", "late", "at nine", "important 5", "important 6", "important 7"],
  );
});

test("how many there are besides stays right with more of them, and where a server does not say it", () => {
  const rest = { open: "next", done: null };
  const shown = shownOf(EVERYTHING, { todos: [todo("a"), todo("x", { completed: true })], rest, counts: { open: 4, done: 1 } });
  assert.deepEqual(shown.others, { open: 3, done: 0 });
  const more = withRest(shown, "open", { todos: [todo("a"), todo("b"), todo("c")], rest: { open: null, done: null }, counts: null });
  assert.deepEqual([more.todos.length, more.others, more.rest.open], [4, { open: 1, done: 0 }, null]);
  assert.deepEqual(shownOf(EVERYTHING, { todos: [todo("a")], rest, counts: null }).others, { open: 0, done: 0 });
});

test("what an answer says besides its list is in its headers; an older one says nothing", () => {
  const headers = new Headers();
  const besides = { rest: { open: "abc=", done: null }, counts: { open: 3, done: 0 } };
  announce(headers, besides);
  assert.deepEqual(announced(headers), besides);
  assert.equal(announced(new Headers({ "x-more": "true" })), null, "a server of the version before");
  const unknown = new Headers();
  announce(unknown, { ...besides, counts: null });
  assert.deepEqual(announced(unknown), { ...besides, counts: null });
});

test("keys lead from row to row, from elsewhere to the first or the last one, and no further than these", () => {
  const rows = ["a", "b", "c"];
  assert.deepEqual([beside(rows, "a", 1), beside(rows, "c", -1)], ["b", "b"]);
  assert.deepEqual([beside(rows, undefined, 1), beside(rows, undefined, -1)], ["a", "c"]);
  assert.deepEqual([beside(rows, "c", 1), beside(rows, "a", -1), beside([], undefined, 1)], [undefined, undefined, undefined]);
});
