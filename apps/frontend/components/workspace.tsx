"use client";

import { useCallback, useEffect, useRef, useState } from "react";

import { AccountMenu } from "@/components/account-menu";
import { ChatPanel } from "@/components/chat-panel";
import { Icon } from "@/components/icons";
import { Logo } from "@/components/logo";
import { OnClocksOf, useTexts } from "@/components/texts";
import { TodoPanel } from "@/components/todo-panel";
import { request, RequestError } from "@/lib/client";
import { remember } from "@/lib/draft";
import { announced, asked as addressOf, countsOf, isEverything, LISTED, shownOf, withRest, type Listed, type Listing, type Rest } from "@/lib/listing";
import { RowsInFlight } from "@/lib/rows";
import { Soon } from "@/lib/soon";
import type { Conversation, Serving, Todo, User } from "@/lib/types";

export type View = "list" | "chat";

const NOTHING_TOLD: Omit<Listed, "todos"> = { rest: { open: null, done: null }, counts: null };

/** The list beside the assistant; on a narrow screen one of them at a time. */
export function Workspace({
  user,
  initialListing,
  initialList,
  initialConversation,
  initialServing,
}: {
  user: User;
  initialListing: Listing;
  initialList: Listed;
  /** Undefined where it could not be read; the assistant too. */
  initialConversation: Conversation | null | undefined;
  initialServing: Serving | undefined;
}) {
  const { t } = useTexts();
  const [listing, setListing] = useState(initialListing);
  const [list, setList] = useState(() => shownOf(initialListing, initialList));
  const latest = useRef({ listing, list, asking: false });
  const [reading, setReading] = useState(false);
  const [rows] = useState(() => new RowsInFlight());
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const [view, setView] = useState<View>("list");
  const [unseen, setUnseen] = useState(false);

  useEffect(() => {
    latest.current.list = list;
  }, [list]);

  /** Asks for todos, and returns them with what the answer says besides. */
  const ask = useCallback(async (query: Record<string, string>) => {
    let others: Omit<Listed, "todos"> | null = null;
    const heard = (headers: Headers) => (others = announced(headers));
    const todos = await request<Todo[]>("GET", `/api/todos?${new URLSearchParams(query)}`, undefined, { heard });
    return { todos, others: others as Omit<Listed, "todos"> | null };
  }, []);

  /** Reads the list again rather than applying actions one by one: the server knows every tool, this page need not. */
  const readAgain = useCallback(async () => {
    const { listing: wanted, list: before } = latest.current;
    const shown = countsOf(before.listing === wanted ? before.todos : []);
    let told: Listed | undefined;
    const merge = await rows.read(async () => {
      const { todos, others } = await ask({ ...wanted, open: String(shown.open), done: String(shown.done) });
      // A server of the version before, as there is while it is upgraded, knows of no listing.
      if (!others && !isEverything(wanted)) throw new RequestError("The list cannot be read just now. Try again in a moment.", 503);
      told = { todos, ...(others ?? NOTHING_TOLD) };
      return todos;
    });
    setList((now) => {
      const todos = merge(now.todos);
      // A later one was answered earlier.
      return todos === now.todos || !told ? now : shownOf(wanted, { ...told, todos });
    });
  }, [ask, rows]);

  // Another tab, another device or an outside client may have changed what is shown to whoever comes back.
  useEffect(() => {
    const look = () => {
      readAgain().catch((failure: unknown) => {
        if (!(failure instanceof RequestError)) throw failure; // nobody has asked for it
      });
    };
    const soon = new Soon(look, () => navigator.onLine && !rows.busy && !document.querySelector("dialog[open]"));
    const back = () => document.visibilityState === "visible" && soon.ask();
    const left = new AbortController();
    document.addEventListener("visibilitychange", back, { signal: left.signal });
    for (const event of ["focus", "online"]) window.addEventListener(event, back, { signal: left.signal });
    return () => {
      left.abort();
      soon.end();
    };
  }, [readAgain, rows]);

  /** Shows another listing; while one is asked for, the last one that is wanted waits. */
  async function change(wanted: Listing) {
    setListing(wanted);
    latest.current.listing = wanted;
    const address = addressOf(wanted);
    remember(Object.fromEntries(LISTED.map((name) => [name, address.get(name) ?? ""])));
    if (latest.current.asking) return;
    latest.current.asking = true;
    setReading(true);
    try {
      for (let asked: Listing | undefined; asked !== latest.current.listing;) {
        asked = latest.current.listing;
        await readAgain().catch((failure: unknown) => {
          if (asked === latest.current.listing) throw failure; // else something else is wanted by now
        });
      }
    } finally {
      latest.current.asking = false;
      setReading(false);
    }
  }

  async function showMore(state: keyof Rest) {
    const { listing: of, rest } = latest.current.list;
    const more = await ask({ ...of, state, after: rest[state] ?? "" });
    setList((now) => (now.listing === of ? withRest(now, state, { todos: more.todos, ...(more.others ?? NOTHING_TOLD) }) : now));
  }

  const showChanges = useCallback(async (ids: string[]) => {
    await readAgain();
    if (ids.length === 0) return;
    setFresh(new Set(ids));
    setUnseen(true);
  }, [readAgain]);

  function open(next: View) {
    setView(next);
    if (next === "list") setUnseen(false);
  }

  const remaining = list.todos.filter((todo) => !todo.completed).length + list.others.open;
  return (
    <OnClocksOf timeZone={user.time_zone}>
      <div className="flex h-dvh flex-col">
        <header className="flex h-16 shrink-0 items-center justify-between px-4 sm:px-6 lg:px-8">
          <Logo />
          <div className="flex items-center gap-1">
            <a href="/history" className="flex h-10 items-center gap-2 rounded-xl px-3 text-sm font-medium text-muted hover:bg-line/60 hover:text-ink">
              <Icon name="clock" className="size-4.5" />
              {t("History")}
            </a>
            <AccountMenu email={user.email} />
          </div>
        </header>

        <nav aria-label={t("Views")} className="mx-4 mb-3 grid shrink-0 grid-cols-2 gap-1 rounded-2xl bg-line/60 p-1 lg:hidden">
          <ViewButton current={view === "list"} onClick={() => open("list")}>
            {t("List")}
            <span className="min-w-6 rounded-full bg-pine-soft px-1.5 text-xs leading-5 text-ink tabular-nums">
              {remaining}
            </span>
            {unseen && view === "chat" ? (
              <span className="size-2 rounded-full bg-marigold">
                <span className="sr-only">{t("has changed")}</span>
              </span>
            ) : null}
          </ViewButton>
          <ViewButton current={view === "chat"} onClick={() => open("chat")}>
            {t("Assistant")}
          </ViewButton>
        </nav>

        <main className="mx-auto grid min-h-0 w-full max-w-7xl grow grid-cols-[minmax(0,1fr)] grid-rows-1 gap-8 px-4 pb-4 sm:px-6 lg:grid-cols-[minmax(0,7fr)_minmax(22rem,5fr)] lg:px-8 lg:pb-8">
          {view === "chat" ? <h1 className="sr-only lg:hidden">{t("Your list’s assistant")}</h1> : null}
          <TodoPanel
            className={view === "list" ? "" : "max-lg:hidden"}
            userId={user.id}
            rows={rows}
            readAgain={readAgain}
            listing={listing}
            list={list}
            reading={reading}
            onListing={change}
            onView={open}
            onMore={showMore}
            setTodos={(update) => setList((now) => ({ ...now, todos: update(now.todos) }))}
            fresh={fresh}
            setFresh={setFresh}
          />
          <ChatPanel
            className={view === "chat" ? "" : "max-lg:hidden"}
            userId={user.id}
            initialConversation={initialConversation}
            initialServing={initialServing}
            onAnswer={showChanges}
          />
        </main>
      </div>
    </OnClocksOf>
  );
}

function ViewButton({
  current,
  onClick,
  children,
}: {
  current: boolean;
  onClick: () => void;
  children: React.ReactNode;
}) {
  return (
    <button
      type="button"
      aria-pressed={current}
      onClick={onClick}
      className="flex h-10 items-center justify-center gap-2 rounded-xl font-medium text-muted aria-pressed:bg-surface aria-pressed:text-ink aria-pressed:shadow-sm"
    >
      {children}
    </button>
  );
}
