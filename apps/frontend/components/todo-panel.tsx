"use client";

import { useEffect, useRef, useState, type FormEvent, type ReactNode } from "react";

import { BrainDump } from "@/components/brain-dump";
import { DayPlan } from "@/components/day-plan";
import { Icon } from "@/components/icons";
import { ListingBar } from "@/components/listing-bar";
import { Shortcuts } from "@/components/shortcuts";
import { useTexts } from "@/components/texts";
import { TodoEditor } from "@/components/todo-editor";
import { TodoRow } from "@/components/todo-row";
import { useHydrated } from "@/components/use-hydrated";
import { request, RequestError } from "@/lib/client";
import { keepDraft, readDraft } from "@/lib/draft";
import { dueInWords } from "@/lib/due";
import { newId } from "@/lib/id";
import { beside, countsOf, EVERYTHING, inOrder, isEverything, type Listing, type Rest, type Shown } from "@/lib/listing";
import type { RowsInFlight } from "@/lib/rows";
import { TITLE_MAX } from "@/lib/rules";
import type { Texts } from "@/lib/texts";
import type { Proposal, Todo } from "@/lib/types";

/** The id of the todo whose row has the focus. */
const here = () => document.activeElement?.closest<HTMLElement>("[data-todo]")?.dataset.todo;

function headline(remaining: number, total: number, t: Texts["t"]): string {
  if (total === 0) return t("Nothing to do");
  return remaining === 0 ? t("All done") : t("{n} to do", { n: remaining });
}

export function TodoPanel({
  className,
  userId,
  rows,
  readAgain,
  listing,
  list,
  reading,
  onListing,
  onMore,
  onView,
  setTodos,
  fresh,
  setFresh,
}: {
  className: string;
  userId: string;
  rows: RowsInFlight;
  /** Shows the list as the server has it. */
  readAgain: () => Promise<void>;
  /** What was asked for last. */
  listing: Listing;
  list: Shown;
  /** Another listing is read. */
  reading: boolean;
  onListing: (listing: Listing) => Promise<void>;
  onMore: (state: keyof Rest) => Promise<void>;
  /** On a narrow screen, shows the list or the assistant. */
  onView: (view: "list" | "chat") => void;
  setTodos: (update: (now: Todo[]) => Todo[]) => void;
  fresh: ReadonlySet<string>;
  setFresh: (ids: ReadonlySet<string>) => void;
}) {
  const texts = useTexts();
  const { t } = texts;
  const hydrated = useHydrated();
  const heading = useRef<HTMLHeadingElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const focusNext = useRef<string>(null);
  const changes = useRef(new Map<string, { saved: Todo | null; last: Promise<void> }>());
  const search = useRef<HTMLInputElement>(null);
  const looking = useRef(list.listing);
  const sent = useRef<{ id: string; said: string; wanted?: Partial<Todo> } | null>(null);
  const [deleted, setDeleted] = useState<{ change: number; todo: Todo } | null>(null);
  const [adding, setAdding] = useState(false);
  /** The notes with which the dialog for several todos was opened, while it is. */
  const [dump, setDump] = useState<string | null>(null);
  const [edited, setEdited] = useState<Todo | null>(null);
  const [planning, setPlanning] = useState(false);
  /** A todo that was read out of what was written, and what was written. */
  const [understood, setUnderstood] = useState<{ todo: Todo; said: string } | null>(null);
  const [fields, setFields] = useState(!isEverything({ ...listing, view: "all" }) || listing.sort !== EVERYTHING.sort);
  const [error, setError] = useState<string>();
  const [news, setNews] = useState("");

  const { todos, rest, others } = list;
  const { open, done } = inOrder(todos, list.listing);
  const shown = countsOf(todos);
  const remaining = shown.open + others.open;
  const all = remaining + shown.done + others.done;

  // A row that changes its section is a new element, and one that leaves the view is none: whoever works with the keyboard must not
  // lose their place.
  useEffect(() => {
    const lost = document.activeElement === null || document.activeElement === document.body;
    if (focusNext.current && (lost || here())) (document.getElementById(focusNext.current) ?? heading.current)?.focus();
    focusNext.current = null;
  }, [todos, edited]);

  useEffect(() => {
    looking.current = list.listing;
  }, [list.listing]);

  useEffect(() => {
    if (input.current && !input.current.value) input.current.value = readDraft(userId, "todo");
  }, [userId]);

  /** Runs one change and says what came of it. Returns the failure, if it was one. */
  async function attempt(change: () => Promise<string>): Promise<RequestError | undefined> {
    setError(undefined);
    try {
      setNews(await change());
    } catch (failure) {
      if (!(failure instanceof RequestError)) throw failure;
      setError(failure.message);
      return failure;
    }
  }

  function show(id: string, value: Todo | null) {
    setTodos((now) => {
      if (!value) return now.filter((item) => item.id !== id);
      return now.some((item) => item.id === id) ? now.map((item) => (item.id === id ? value : item)) : [...now, value];
    });
  }

  /**
   * Shows `next` (null: gone) at once. A row's changes are sent one after the other, and when the last is through,
   * the row shows what the server has: so a refused change is taken back. `saved` is what it has at first; null: nothing.
   */
  function change(todo: Todo, next: Todo | null, send: () => Promise<Todo | null>, said: string, saved: Todo | null = todo) {
    const row = changes.current.get(todo.id) ?? { saved, last: Promise.resolve() };
    const of = looking.current;
    changes.current.set(todo.id, row);
    setFresh(new Set());
    setUnderstood((now) => (now?.todo.id === todo.id ? null : now));
    rows.begin(todo.id);
    show(todo.id, next);
    const turn = row.last.then(async () => {
      const failure = await attempt(async () => {
        row.saved = await send();
        return said;
      });
      if (failure?.status === 404) row.saved = null; // deleted meanwhile, from elsewhere
      rows.end(todo.id);
      if (row.last !== turn) return;
      changes.current.delete(todo.id);
      show(todo.id, row.saved);
      if (looking.current !== of) void attempt(async () => readAgain().then(() => "")); // it may not belong to what is shown by now
    });
    row.last = turn;
    return turn;
  }

  /** Does what changes a todo, and shows it so: a read that was begun before knows less. */
  async function inFlight<T>(id: string, work: () => Promise<T>): Promise<T> {
    rows.begin(id);
    try {
      return await work();
    } finally {
      rows.end(id);
    }
  }

  /** Opens the dialog for several todos: pasted notes come after those that were written before and not read. */
  function openNotes(pasted = "") {
    const notes = [readDraft(userId, "notes"), pasted].filter(Boolean).join("\n");
    keepDraft(userId, "notes", notes);
    setDump(notes);
  }

  /** Opens the editor on a todo as it is once the changes that are under way are through. */
  async function edit(todo: Todo) {
    const row = changes.current.get(todo.id);
    await row?.last;
    const found = row ? row.saved : todo;
    if (found) setEdited(found);
  }

  async function add(event: FormEvent) {
    event.preventDefault();
    const title = input.current?.value.trim() ?? "";
    if (!title || adding) return input.current?.focus();
    setAdding(true);
    setUnderstood(null);
    // Sent again after a lost answer it is the same todo.
    if (sent.current?.said !== title) sent.current = { id: newId(), said: title };
    const one = sent.current;
    const { id } = one;
    const send = async () => {
      const wanted = (one.wanted ??= await readOut(title));
      const todo = await request<Todo>("POST", "/api/todos", { id, ...wanted }).catch(async (lost: unknown) => {
        // No answer is no refusal: it may be there.
        if (!(lost instanceof RequestError) || (lost.status !== 0 && lost.status < 500)) throw lost;
        const there = await request<Todo[]>("GET", "/api/todos?view=all").catch(() => []);
        const found = there.find((one) => one.id === id);
        if (!found) throw lost;
        return found;
      });
      sent.current = null;
      setFresh(new Set([todo.id]));
      if (todo.title !== title) setUnderstood({ todo, said: title });
      if (input.current?.value.trim() === title) {
        input.current.value = ""; // unless something else stands there by now
        keepDraft(userId, "todo", "");
      }
      return todo;
    };
    const now: Todo = { id, title, completed: false, created_at: new Date().toISOString(), completed_at: null };
    await change(now, now, send, `Added ${title}.`, null);
    setAdding(false);
  }

  /** Returns what is to be added: with a date or a priority, where the server reads one out of it. Throws where none is reached. */
  async function readOut(title: string): Promise<Partial<Todo>> {
    const found = await request<Proposal[]>("POST", "/api/proposals", { text: title }).catch((failure: unknown) => {
      if (failure instanceof RequestError && failure.status === 0) throw failure;
      return [];
    });
    const [one] = found;
    if (found.length !== 1 || !one || !(one.due || one.priority)) return { title };
    return { title: one.title, due: one.due, priority: one.priority };
  }

  /** It was meant as it was written. */
  function asWritten({ todo, said }: { todo: Todo; said: string }) {
    focusNext.current = `edit-${todo.id}`; // the button is gone
    setUnderstood(null);
    const plain = { title: said, due: null, priority: null };
    void change(todo, { ...todo, ...plain }, () => request<Todo>("PATCH", `/api/todos/${todo.id}`, plain), `Kept ${said} as it was written.`);
  }

  function toggle(todo: Todo) {
    const completed = !todo.completed;
    focusNext.current = `todo-${todo.id}`;
    const next = { ...todo, completed, completed_at: completed ? new Date().toISOString() : null };
    const send = () => request<Todo>("PATCH", `/api/todos/${todo.id}`, { completed });
    void change(todo, next, send, completed ? `Completed ${todo.title}.` : `${todo.title} is to do again.`);
  }

  function saved(todo: Todo) {
    focusNext.current = `edit-${todo.id}`;
    setUnderstood((now) => (now?.todo.id === todo.id ? null : now));
    show(todo.id, todo);
    setFresh(new Set([todo.id]));
    setNews(`Changed ${todo.title}.`);
    if (isEverything(listing)) return;
    void attempt(async () => {
      focusNext.current = `edit-${todo.id}`; // where the row leaves what is shown
      await readAgain();
      return `Changed ${todo.title}.`;
    });
  }

  /** Leads to a field, on a narrow screen by showing where it is. */
  function focusIn(view: "list" | "chat", field: string) {
    const focus = () => document.getElementById(field)?.focus();
    onView(view);
    focus();
    if (document.activeElement?.id !== field) requestAnimationFrame(focus); // it was hidden
  }

  /** Where the focus is led to from the row that has it, or from elsewhere. */
  const next = (by: 1 | -1) => {
    const rows = document.querySelectorAll<HTMLElement>("[data-todo]:not(details:not([open]) *)");
    return beside([...rows].map(({ dataset }) => dataset.todo ?? ""), here(), by);
  };

  function step(by: 1 | -1, key: string) {
    if (key.startsWith("Arrow") && !here()) return false; // they scroll
    const id = next(by);
    if (id) focusIn("list", `todo-${id}`);
  }

  /** Does something to the todo whose row has the focus. */
  function atHere(act: (todo: Todo) => void) {
    const todo = todos.find(({ id }) => id === here());
    if (!todo) return false;
    act(todo);
  }

  function removeHere(todo: Todo) {
    const id = next(1) ?? next(-1);
    remove(todo);
    if (id) focusIn("list", `todo-${id}`);
  }

  function startSearch() {
    onView("list");
    setFields(true);
    requestAnimationFrame(() => search.current?.focus());
  }

  const lookAt = (wanted: Listing) => void attempt(async () => onListing(wanted).then(() => ""));

  function remove(todo: Todo) {
    heading.current?.focus();
    const send = async () => {
      const answer = await request<{ change: number | null } | undefined>("DELETE", `/api/todos/${todo.id}`);
      setDeleted(answer?.change ? { change: answer.change, todo } : null);
      return null;
    };
    setDeleted(null);
    void change(todo, null, send, ""); // the notice says it
  }

  async function bringBack({ change, todo }: { change: number; todo: Todo }) {
    await attempt(async () => {
      await request("POST", `/api/changes/${change}/undo`);
      setDeleted(null);
      focusNext.current = `edit-${todo.id}`; // the button is gone
      await readAgain();
      setFresh(new Set([todo.id]));
      return `${todo.title} is back.`;
    });
  }

  const row = (todo: Todo) => (
    <TodoRow
      key={todo.id}
      todo={todo}
      fresh={fresh.has(todo.id)}
      onToggle={() => toggle(todo)}
      onEdit={() => void edit(todo)}
      onDelete={() => remove(todo)}
    />
  );

  return (
    <>
      <section aria-labelledby="list-heading" className={`flex min-h-0 flex-col ${className}`}>
        <div className="flex shrink-0 items-center gap-4 lg:pt-4">
          <div className="grow">
            <h1
              id="list-heading"
              ref={heading}
              tabIndex={-1}
              className="text-3xl font-semibold tracking-tight tabular-nums outline-none lg:text-5xl"
            >
              {headline(remaining, all, t)}
            </h1>
            <p className="mt-1 text-muted tabular-nums lg:mt-2">
              {all === 0 ? t("Room for whatever comes up.") : t("{n} of {all} done", { n: all - remaining, all })}
            </p>
          </div>
          <Ring share={all === 0 ? 0 : (all - remaining) / all} />
        </div>

        <form
          method="post"
          onSubmit={add}
          className="bubble-left mt-5 flex h-14 shrink-0 items-center border border-line-strong bg-surface pr-2 pl-5 focus-within:border-pine focus-within:outline-2 focus-within:outline-pine lg:mt-7"
        >
          <label htmlFor="new-todo" className="sr-only">
            {t("New todo")}
          </label>
          <input
            ref={input}
            id="new-todo"
            name="title"
            readOnly={!hydrated}
            onChange={(event) => keepDraft(userId, "todo", event.target.value)}
            onPaste={(event) => {
              const pasted = event.clipboardData.getData("text").trim();
              if (!pasted.includes("\n") && event.currentTarget.value.length + pasted.length <= TITLE_MAX) return;
              event.preventDefault(); // a field of one line would make one todo of all, and cut what is too long for a title
              openNotes(pasted);
            }}
            maxLength={TITLE_MAX}
            autoComplete="off"
            enterKeyHint="done"
            placeholder={t("What needs doing?")}
            className="h-full min-w-0 grow bg-transparent text-base outline-none lg:text-lg"
          />
          <button
            type="button"
            disabled={!hydrated}
            aria-label={t("Add several")}
            aria-haspopup="dialog"
            onClick={() => openNotes()}
            className="flex size-11 shrink-0 items-center justify-center rounded-lg text-muted hover:bg-paper hover:text-ink"
          >
            <Icon name="list" />
          </button>
          <button
            type="submit"
            disabled={!hydrated}
            aria-busy={adding}
            className="flex h-10 items-center gap-1.5 rounded-xl rounded-br-sm bg-pine-fill px-4 font-semibold text-on-pine hover:bg-pine-deep aria-busy:opacity-75"
          >
            <Icon name="plus" className="size-4.5" />
            {t("Add")}
          </button>
        </form>

        <ListingBar
          listing={listing}
          disabled={!hydrated}
          search={search}
          open={fields}
          setOpen={setFields}
          onChange={lookAt}
          onPlan={() => setPlanning(true)}
        />

        <div role="alert">
          {error ? (
            <p className="mt-3 flex items-center gap-2 rounded-xl bg-danger-soft px-4 py-2.5 text-sm text-danger">
              <Icon name="alert" className="size-4.5" />
              {t(error)}
            </p>
          ) : null}
        </div>
        <p role="status" className="sr-only">
          {news ? t(news) : null}
        </p>
        <p role="status" className="sr-only">
          {isEverything(list.listing) ? null : t("{n} shown.", { n: todos.length })}
        </p>
        <div role="status">
          {deleted ? (
            <Notice action={t("Undo")} onAction={() => void bringBack(deleted)}>
              <span className="block truncate">{t("Deleted {title}", { title: deleted.todo.title })}</span>
            </Notice>
          ) : null}
          {understood ? (
            <Notice action={t("Keep my words")} onAction={() => asWritten(understood)}>
              {t("Understood: {facts}", {
                facts: [
                  understood.todo.due && dueInWords({ ...understood.todo, due: understood.todo.due }, texts),
                  understood.todo.priority && t(`${understood.todo.priority} priority`),
                ]
                  .filter(Boolean)
                  .join(", "),
              })}
            </Notice>
          ) : null}
        </div>

        {/* An answer that comes soon dims nothing. */}
        <div
          aria-busy={reading}
          className="scroll-quiet -mx-2 mt-4 min-h-0 grow overflow-y-auto px-2 pb-2 transition-opacity aria-busy:opacity-50 aria-busy:delay-150"
        >
          {all === 0 && isEverything(list.listing) ? <EmptyList /> : null}
          {todos.length === 0 && !(all === 0 && isEverything(list.listing)) ? (
            <div className="py-8 text-center text-muted">
              <p>{t(list.listing.q || list.listing.priority ? EMPTY.all : EMPTY[list.listing.view])}</p>
              {isEverything(list.listing) ? null : (
                <button type="button" onClick={() => lookAt(EVERYTHING)} className={`${QUIET} mt-3`}>
                  {t("Show all todos")}
                </button>
              )}
            </div>
          ) : null}
          {open.length > 0 ? (
            <ul aria-label={t("To do")} className="flex flex-col gap-2 pt-0.5">
              {open.map(row)}
            </ul>
          ) : null}
          {rest.open ? (
            <More disabled={!hydrated || reading} onMore={() => attempt(async () => onMore("open").then(() => ""))}>
              {t("Show more")}
            </More>
          ) : null}
          {done.length > 0 ? (
            <details open className="group mt-5">
              <summary className="inline-flex list-none items-center gap-1.5 rounded-md py-1 pr-2 text-sm font-medium text-muted hover:text-ink">
                <Icon name="chevron" className="size-4 -rotate-90 transition-transform group-open:rotate-0" />
                {t("Done")}
                <span className="tabular-nums">{isEverything(list.listing) ? shown.done + others.done : shown.done}</span>
              </summary>
              <ul aria-label={t("Done")} className="mt-2 flex flex-col gap-2">
                {done.map(row)}
              </ul>
              {rest.done ? (
                <More disabled={!hydrated || reading} onMore={() => attempt(async () => onMore("done").then(() => ""))}>
                  {t("Show more that are done")}
                </More>
              ) : null}
            </details>
          ) : null}
        </div>
      </section>
      {/* What opens above the page is outside of what a narrow screen hides. */}
      <Shortcuts
        shortcuts={[
          { keys: ["n"], does: "New todo", run: () => focusIn("list", "new-todo") },
          { keys: ["/"], does: "Search", run: startSearch },
          { keys: ["m"], does: "Message to the assistant", run: () => focusIn("chat", "message") },
          { keys: ["j", "ArrowDown"], does: "Next todo", repeats: true, run: (key) => step(1, key) },
          { keys: ["k", "ArrowUp"], does: "Previous todo", repeats: true, run: (key) => step(-1, key) },
          { keys: ["x"], does: "Done, or to do again", run: () => atHere(toggle) },
          { keys: ["e"], does: "Edit", run: () => atHere((todo) => void edit(todo)) },
          { keys: ["Delete", "Backspace"], does: "Delete", run: () => atHere(removeHere) },
          { keys: ["u"], does: "Undo the last deletion", run: () => (deleted ? void bringBack(deleted) : false) },
        ]}
      />
      {edited ? (
        <TodoEditor
          todo={edited}
          userId={userId}
          inFlight={inFlight}
          onSaved={saved}
          onClose={() => {
            focusNext.current = `edit-${edited.id}`;
            setEdited(null);
          }}
        />
      ) : null}
      {planning ? <DayPlan onChanged={readAgain} onClose={() => setPlanning(false)} /> : null}
      {dump === null ? null : (
        <BrainDump
          notes={dump}
          userId={userId}
          inFlight={inFlight}
          onAdded={(todo) => {
            show(todo.id, todo);
            setFresh(new Set([todo.id]));
          }}
          onClose={() => setDump(null)}
        />
      )}
    </>
  );
}

const QUIET = "h-10 rounded-xl border border-line-strong px-4 text-sm font-medium text-ink hover:border-pine hover:text-pine";

/** Where nothing is shown although there are todos. */
const EMPTY: Record<Listing["view"], string> = {
  all: "Nothing is like that.",
  today: "Nothing is due today.",
  overdue: "Nothing is overdue.",
  upcoming: "Nothing is due after today.",
  undated: "Everything has a date.",
};

/** What has just happened, and the way out of it. */
function Notice({ action, onAction, children }: { action: string; onAction: () => void; children: ReactNode }) {
  return (
    <p className="mt-3 flex items-center gap-3 rounded-xl bg-sunken py-1.5 pr-1.5 pl-4 text-sm">
      <span className="min-w-0 grow">{children}</span>
      <button type="button" onClick={onAction} className="h-9 shrink-0 rounded-lg px-3 font-semibold text-pine hover:bg-pine-soft">
        {action}
      </button>
    </p>
  );
}

function More({ disabled, onMore, children }: { disabled: boolean; onMore: () => Promise<unknown>; children: ReactNode }) {
  const [busy, setBusy] = useState(false);
  async function read() {
    setBusy(true);
    await onMore();
    setBusy(false);
  }
  return (
    <button
      type="button"
      disabled={disabled}
      aria-busy={busy}
      onClick={() => (busy ? undefined : void read())} // disabled, it would lose the focus
      className={`${QUIET} mt-3 w-full disabled:opacity-60 aria-busy:opacity-75`}
    >
      {children}
    </button>
  );
}

/** How much of the list is done, as the ticked bubble filling up around its edge. */
function Ring({ share }: { share: number }) {
  const outline = "M16 3h6a7 7 0 0 1 7 7v12a7 7 0 0 1-7 7H5a2 2 0 0 1-2-2V10a7 7 0 0 1 7-7z";
  return (
    <svg viewBox="0 0 32 32" className="size-14 shrink-0 fill-none lg:size-18" aria-hidden="true">
      <path d={outline} className="stroke-line" strokeWidth="3" />
      <path
        d={outline}
        className={`stroke-pine transition-[stroke-dashoffset] duration-500 ${share === 0 ? "opacity-0" : ""}`}
        strokeWidth="3"
        strokeLinecap="round"
        pathLength={100}
        strokeDasharray="100 100"
        strokeDashoffset={100 - share * 100}
      />
      <path
        d="m11 16.2 3.6 3.6 6.6-7.4"
        className={`transition-colors duration-500 ${share === 1 ? "stroke-pine" : "stroke-line"}`}
        strokeWidth="3"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

function EmptyList() {
  const { t } = useTexts();
  return (
    <div className="bubble-left border border-dashed border-line-strong/60 px-6 py-10 text-center">
      <p className="font-medium">{t("An empty list is a good start.")}</p>
      <p className="mx-auto mt-1.5 max-w-sm text-sm text-balance text-muted">
        {t("Type the first thing above, or tell the assistant: “add buy milk”.")}
      </p>
    </div>
  );
}
