"use client";

import { useEffect, useRef, useState, type FormEvent } from "react";

import { Icon } from "@/components/icons";
import { request, RequestError } from "@/lib/client";
import { dueInWords } from "@/lib/due";
import { TEXT_MAX } from "@/lib/rules";
import type { Proposal, Todo } from "@/lib/types";

const BUTTON = "h-11 rounded-xl px-4 font-semibold";

/** Notes, or a list from elsewhere, as todos: each is accepted by itself, or all that are ticked together. */
export function BrainDump({
  pasted,
  onAdded,
  onClose,
}: {
  /** What it begins with. */
  pasted: string;
  onAdded: (todo: Todo) => void;
  onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const [text, setText] = useState(pasted);
  const [found, setFound] = useState<(Proposal & { ticked: boolean })[] | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const [news, setNews] = useState("");

  useEffect(() => dialog.current?.showModal(), []);

  /** Runs some requests and says what came of them; what has not come through stays. */
  async function attempt(work: () => Promise<string>) {
    setBusy(true);
    setError(undefined);
    try {
      setNews(await work());
    } catch (failure) {
      if (!(failure instanceof RequestError)) throw failure;
      setError(failure.message);
    } finally {
      setBusy(false);
    }
  }

  function read(event: FormEvent) {
    event.preventDefault();
    if (!text.trim() || busy) return;
    void attempt(async () => {
      const proposals = await request<Proposal[]>("POST", "/api/proposals", { text });
      setFound(proposals.map((one) => ({ ...one, ticked: true })));
      heading.current?.focus();
      return proposals.length === 1 ? "One todo is found." : `${proposals.length} todos are found.`;
    });
  }

  function accept(chosen: Proposal[]) {
    void attempt(async () => {
      for (const { id, title, notes, due, priority } of chosen) {
        // Its id makes it one, also where an answer was lost and it is accepted again.
        const todo = await request<Todo>("POST", "/api/todos", { id, title, notes, due, priority });
        onAdded(todo);
        setFound((now) => now && now.filter((one) => one.id !== id));
      }
      heading.current?.focus();
      return chosen.length === 1 ? `Added ${chosen[0]?.title}.` : `Added ${chosen.length} todos.`;
    });
  }

  const ticked = found?.filter((one) => one.ticked) ?? [];
  return (
    <dialog
      ref={dialog}
      aria-labelledby="brain-dump-heading"
      onClose={onClose}
      className="m-auto max-h-[85dvh] w-[min(36rem,calc(100vw-2rem))] flex-col rounded-3xl rounded-bl-lg border border-line bg-surface text-ink shadow-lift backdrop:bg-black/40 open:flex"
    >
      <div className="flex shrink-0 items-center border-b border-line py-2 pr-2 pl-5">
        <h2 id="brain-dump-heading" ref={heading} tabIndex={-1} className="grow text-lg font-semibold outline-none">
          {found ? "What to add?" : "Add several"}
        </h2>
        <button
          type="button"
          aria-label="Close"
          onClick={() => dialog.current?.close()}
          className="flex size-11 shrink-0 items-center justify-center rounded-lg text-muted hover:bg-paper hover:text-ink"
        >
          <Icon name="close" />
        </button>
      </div>
      <div className="scroll-quiet min-h-0 grow overflow-y-auto px-5 py-4" tabIndex={-1}>
        <div role="alert">{error ? <p className="mb-3 text-sm text-danger">{error}</p> : null}</div>
        <p role="status" className="sr-only">
          {news}
        </p>
        {found === null ? (
          <form method="post" onSubmit={read} className="flex flex-col gap-3">
            <label htmlFor="brain-dump" className="text-sm font-medium">
              Your notes, a line for each todo
            </label>
            <textarea
              id="brain-dump"
              autoFocus
              value={text}
              onChange={(event) => setText(event.target.value)}
              maxLength={TEXT_MAX}
              rows={8}
              aria-describedby="brain-dump-note"
              className="rounded-xl border border-line-strong bg-paper px-4 py-3 focus:border-pine focus:outline-2 focus:outline-pine"
            />
            <p id="brain-dump-note" className="text-sm text-muted">
              Dates and priorities are understood, as in <q>call Anna tomorrow at 5, urgent</q>. You see everything before it is added.
            </p>
            <button type="submit" aria-busy={busy} className={`${BUTTON} self-start bg-pine-fill text-on-pine hover:bg-pine-deep aria-busy:opacity-75`}>
              Read
            </button>
          </form>
        ) : found.length === 0 ? (
          <p className="text-muted">Nothing is left to add.</p>
        ) : (
          <ul className="divide-y divide-line">
            {found.map((one) => (
              <li key={one.id} className="flex items-center gap-3 py-2">
                <label className="flex min-h-11 min-w-0 grow items-center gap-3">
                  <input
                    type="checkbox"
                    checked={one.ticked}
                    onChange={({ target }) =>
                      setFound(found.map((other) => (other.id === one.id ? { ...other, ticked: target.checked } : other)))
                    }
                    className="size-5 shrink-0 accent-pine"
                  />
                  <span className="min-w-0">
                    <span className="wrap-anywhere">{one.title}</span>
                    <span className="flex flex-wrap gap-x-2.5 text-sm text-muted">
                      {one.due ? <span>{dueInWords({ due: one.due })}</span> : null}
                      {one.priority ? <span>{`${one.priority} priority`}</span> : null}
                    </span>
                  </span>
                </label>
                <button
                  type="button"
                  disabled={busy}
                  aria-label={`Add ${one.title}`}
                  onClick={() => accept([one])}
                  className="h-11 shrink-0 rounded-lg px-3 font-semibold text-pine hover:bg-pine-soft"
                >
                  Add
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
      {found ? (
        <div className="flex shrink-0 flex-wrap gap-3 border-t border-line px-5 py-3">
          {found.length > 0 ? (
            <button
              type="button"
              disabled={ticked.length === 0}
              aria-busy={busy}
              onClick={() => (busy ? undefined : accept(ticked))}
              className={`${BUTTON} bg-pine-fill text-on-pine hover:bg-pine-deep disabled:opacity-60 aria-busy:opacity-75`}
            >
              {ticked.length === 1 ? "Add one todo" : `Add ${ticked.length} todos`}
            </button>
          ) : null}
          <button type="button" onClick={() => setFound(null)} className={`${BUTTON} border border-line-strong hover:border-pine`}>
            Back to the notes
          </button>
        </div>
      ) : null}
    </dialog>
  );
}
