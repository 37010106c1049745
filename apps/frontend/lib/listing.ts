import type { Counts, Todo } from "@/lib/types";

/** How many of the open ones, and of those that are done, are shown at first, and how many more at a time. */
export const AT_ONCE = 50;
/** At most so many are read at once. */
export const MOST_AT_ONCE = 1000;

export const VIEWS = ["all", "today", "overdue", "upcoming", "undated"] as const;
export const PRIORITIES = ["high", "medium", "low"] as const;
export const SORTS = ["-number", "due", "-priority", "title"] as const;

/** Which todos are shown, and in which order. */
export type Listing = {
  view: (typeof VIEWS)[number];
  q: string;
  priority: (typeof PRIORITIES)[number] | "";
  sort: (typeof SORTS)[number];
};

/** What of a listing an address may say. */
export const LISTED = ["view", "q", "priority", "sort"] as const;

export const EVERYTHING: Listing = { view: "all", q: "", priority: "", sort: "-number" };

/** Where the rest of a list begins, as its backend says; null where there is none. */
export type Rest = { open: string | null; done: string | null };

export type Listed = { todos: Todo[]; rest: Rest; counts: Counts | null };

/** What of a listing is shown, and how many todos there are besides. */
export type Shown = { listing: Listing; todos: Todo[]; rest: Rest; others: Counts };

/** Returns how many of some todos are open, and how many are done. */
export function countsOf(todos: Todo[]): Counts {
  const done = todos.filter(({ completed }) => completed).length;
  return { open: todos.length - done, done };
}

export function shownOf(listing: Listing, { todos, rest, counts }: Listed): Shown {
  const shown = countsOf(todos);
  const others = (of: keyof Counts) => Math.max(0, (counts?.[of] ?? 0) - shown[of]);
  return { listing, todos, rest, others: { open: others("open"), done: others("done") } };
}

/** Returns what is shown with more of it; what was added meanwhile may be among it. */
export function withRest(shown: Shown, state: keyof Rest, more: Listed): Shown {
  const known = new Set(shown.todos.map(({ id }) => id));
  const todos = [...shown.todos, ...more.todos.filter(({ id }) => !known.has(id))];
  const others = { ...shown.others, [state]: Math.max(0, shown.others[state] - (todos.length - shown.todos.length)) };
  return { ...shown, todos, others, rest: { ...shown.rest, [state]: more.rest[state] } };
}

function oneOf<T extends string>(known: readonly T[], given: string | null): T | undefined {
  return known.find((one) => one === given);
}

/** Returns the listing that an address asks for; what it does not know, or does not say, is as it is for everything. */
export function listingOf(asked: URLSearchParams): Listing {
  return {
    view: oneOf(VIEWS, asked.get("view")) ?? EVERYTHING.view,
    q: (asked.get("q") ?? "").trim().slice(0, 200),
    priority: oneOf(PRIORITIES, asked.get("priority")) ?? EVERYTHING.priority,
    sort: oneOf(SORTS, asked.get("sort")) ?? EVERYTHING.sort,
  };
}

/** Returns what an address says for a listing: nothing of what is so by itself. */
export function asked(listing: Listing): URLSearchParams {
  const others = Object.entries(listing).filter(([name, value]) => value !== EVERYTHING[name as keyof Listing]);
  return new URLSearchParams(others);
}

/** Tells whether those that are done belong to a listing: where it is about a date, they do not. */
export const showsDone = ({ view }: Listing) => view === "all";

/** Tells whether all that there is belongs to it. */
export const isEverything = ({ view, q, priority }: Listing) => view === "all" && !q && !priority;

const DUE: Record<Listing["view"], string> = { all: "", undated: "none", today: "today", overdue: "overdue", upcoming: "upcoming" };

/** Returns the backend's query for a listing, with what else is asked. */
export function queryOf({ view, ...which }: Listing, others: Record<string, string | number>): URLSearchParams {
  const given = Object.entries({ ...which, due: DUE[view], ...others }).filter(([, value]) => value !== "");
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
}

const ORDER: Record<NonNullable<Todo["priority"]> | "none", number> = { high: 3, medium: 2, low: 1, none: 0 };
/** Without a date, after all that have one. */
const dueOf = ({ due }: Todo) => due ?? "9999";
/** One that is on its way to the server has no number yet, and is the newest. */
const byNumber = (a: Todo, b: Todo) =>
  (a.number ?? Infinity) - (b.number ?? Infinity) || Date.parse(a.created_at) - Date.parse(b.created_at);
const text = (a: string, b: string) => (a < b ? -1 : Number(a > b));

const COMPARED: Record<Listing["sort"], (a: Todo, b: Todo) => number> = {
  "-number": (a, b) => byNumber(b, a),
  due: (a, b) => text(dueOf(a), dueOf(b)) || byNumber(a, b),
  "-priority": (a, b) => ORDER[b.priority ?? "none"] - ORDER[a.priority ?? "none"] || text(dueOf(a), dueOf(b)) || byNumber(a, b),
  title: (a, b) => a.title.localeCompare(b.title) || byNumber(a, b),
};

/** Returns the open ones and those that are done, each in its order. */
export function inOrder(todos: Todo[], { sort }: Listing): { open: Todo[]; done: Todo[] } {
  const done = (a: Todo, b: Todo) => Date.parse(b.completed_at ?? "") - Date.parse(a.completed_at ?? "");
  return {
    open: todos.filter(({ completed }) => !completed).sort(COMPARED[sort]),
    done: todos.filter(({ completed }) => completed).sort(done),
  };
}

/** Returns which of some rows comes after the one that somebody is at, or before it; the first or the last where they are at none. */
export function beside(rows: string[], at: string | undefined, by: 1 | -1): string | undefined {
  const place = rows.indexOf(at ?? "");
  return place < 0 ? rows.at(by > 0 ? 0 : -1) : rows[place + by];
}

/** More than so many is no plan for a day. */
const PLANNED = 7;

/** What a day is made from: what is overdue, what is due today, what matters much and has no date. */
export const PLANNED_FROM = ["view=overdue&sort=-priority", "view=today&sort=-priority", "view=undated&priority=high&sort=-priority"];

/** Returns the plan that is made from these, as the built-in assistant makes it: what is not due comes after what is. */
export function planOf(lists: Todo[][]): Todo[] {
  const each = [...new Map(lists.flat().map((todo) => [todo.id, todo])).values()];
  const { open } = inOrder(each, { ...EVERYTHING, sort: "-priority" });
  return [...open.filter(({ due }) => due), ...open.filter(({ due }) => !due)].slice(0, PLANNED);
}

const HEADERS = { open: "x-more-open", done: "x-more-done", counts: "x-counts" } as const;

/** Writes into an answer's headers what its list does not say. */
export function announce(headers: Headers, { rest, counts }: Omit<Listed, "todos">): void {
  if (rest.open) headers.set(HEADERS.open, rest.open);
  if (rest.done) headers.set(HEADERS.done, rest.done);
  headers.set(HEADERS.counts, counts ? `${counts.open} ${counts.done}` : "unknown");
}

/** Reads it there; null: a server of the version before says nothing. */
export function announced(headers: Headers): Omit<Listed, "todos"> | null {
  const told = headers.get(HEADERS.counts);
  if (told === null) return null;
  const [open, done] = told.split(" ").map(Number);
  const counts = open !== undefined && done !== undefined ? { open, done } : null;
  return { rest: { open: headers.get(HEADERS.open), done: headers.get(HEADERS.done) }, counts };
}
