"use client";

import { useRef, useState, type FormEvent } from "react";

import { Dialog, PRIMARY, SECONDARY, TickedRow } from "@/components/dialog";
import { useTexts } from "@/components/texts";
import { useAttempt } from "@/components/use-attempt";
import { request } from "@/lib/client";
import { keepDraft } from "@/lib/draft";
import { dueInWords } from "@/lib/due";
import { firstPart, TEXT_MAX } from "@/lib/rules";
import type { Proposal, Todo } from "@/lib/types";

const nameOf = ({ title, due }: Proposal) => `${title}\n${due ?? ""}`;

/** Notes, or a list from elsewhere, as todos: each is accepted by itself, or all that are ticked together. */
export function BrainDump({
  notes,
  userId,
  inFlight,
  onAdded,
  onClose,
}: {
  /** What it begins with. */
  notes: string;
  userId: string;
  inFlight: <T>(id: string, work: () => Promise<T>) => Promise<T>;
  onAdded: (todo: Todo) => void;
  onClose: () => void;
}) {
  const texts = useTexts();
  const { t, language } = texts;
  const [text, setText] = useState(notes);
  /** What comes after what was read. */
  const [rest, setRest] = useState("");
  /** What was accepted here: notes that are read again do not propose it once more. */
  const accepted = useRef(new Set<string>());
  const [found, setFound] = useState<(Proposal & { ticked: boolean })[] | null>(null);
  const [tick, setTick] = useState(0);
  const { busy, outcome, attempt } = useAttempt();

  function write(said: string) {
    setText(said);
    keepDraft(userId, "notes", said);
  }

  /** Reads a part of the notes, and shows what is found after what is there. */
  function read(said: string) {
    if (!said.trim() || busy) return;
    const [part, after] = firstPart(said.trim());
    const before = found ?? [];
    void attempt(async () => {
      const proposals = await request<Proposal[]>("POST", "/api/proposals", { text: part });
      const known = new Set([...accepted.current, ...before.map(nameOf)]);
      const left = proposals.filter((one) => !known.has(nameOf(one)));
      setRest(after.trim());
      setFound([...before, ...left.map((one) => ({ ...one, ticked: true }))]);
      setTick((now) => now + 1);
      return left.length === 1 ? "One todo is found." : `${left.length} todos are found.`;
    });
  }

  function accept(chosen: Proposal[]) {
    void attempt(async () => {
      for (const one of chosen) {
        const { id, title, notes, due, priority } = one;
        // Its id makes it one, also where an answer was lost and it is accepted again.
        await inFlight(id, async () => onAdded(await request<Todo>("POST", "/api/todos", { id, title, notes, due, priority })));
        accepted.current.add(nameOf(one));
        setFound((now) => now && now.filter((other) => other.id !== id));
      }
      if (chosen.length === found?.length) write(rest);
      setTick((now) => now + 1);
      return chosen.length === 1 ? `Added ${chosen[0]?.title}.` : `Added ${chosen.length} todos.`;
    });
  }

  const ticked = found?.filter((one) => one.ticked) ?? [];
  const footer = found ? (
    <>
      {found.length > 0 ? (
        <button
          type="button"
          disabled={ticked.length === 0}
          aria-busy={busy}
          onClick={() => (busy ? undefined : accept(ticked))}
          className={PRIMARY}
        >
          {ticked.length === 1 ? t("Add one todo") : t("Add {n} todos", { n: ticked.length })}
        </button>
      ) : null}
      {rest ? (
        <button type="button" aria-busy={busy} onClick={() => read(rest)} className={SECONDARY}>
          {t("Read on")}
        </button>
      ) : null}
      <button type="button" onClick={() => setFound(null)} className={SECONDARY}>
        {t("Back to the notes")}
      </button>
    </>
  ) : null;
  return (
    <Dialog
      id="brain-dump"
      title={found ? t("What to add?") : t("Add several")}
      tick={tick}
      {...outcome}
      footer={footer}
      onClose={onClose}
    >
      {found && rest ? <p className="mb-3 text-sm">{t("The rest of your notes is kept, and not read yet.")}</p> : null}
      {found === null ? (
        <form
          method="post"
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            read(text);
          }}
          className="flex flex-col gap-3"
        >
          <label htmlFor="brain-dump-text" className="text-sm font-medium">
            {t("Your notes, a line for each todo")}
          </label>
          <textarea
            id="brain-dump-text"
            autoFocus
            value={text}
            onChange={({ target }) => write(target.value)}
            rows={8}
            aria-describedby="brain-dump-note"
            className="rounded-xl border border-line-strong bg-paper px-4 py-3 focus:border-pine focus:outline-2 focus:outline-pine"
          />
          <p id="brain-dump-note" className="text-sm text-muted">
            {t("Dates and priorities are understood, as in “call Anna tomorrow at 5, urgent”. You see everything before it is added.")}
          </p>
          <p role="status" className="text-sm">
            {text.length > TEXT_MAX
              ? t("{n} characters are read at once. What comes after them stays here, and is read next.", { n: TEXT_MAX.toLocaleString(language) })
              : null}
          </p>
          <button type="submit" aria-busy={busy} className={`${PRIMARY} self-start`}>
            {t("Read")}
          </button>
        </form>
      ) : found.length === 0 ? (
        <p className="text-muted">{t("Nothing is left to add.")}</p>
      ) : (
        <ul className="divide-y divide-line">
          {found.map((one) => (
            <li key={one.id} className="flex items-center gap-3 py-2">
              <TickedRow
                ticked={one.ticked}
                onTick={(ticked) => setFound(found.map((other) => (other.id === one.id ? { ...other, ticked } : other)))}
              >
                <span className="wrap-anywhere">{one.title}</span>
                <span className="flex flex-wrap gap-x-2.5 text-sm text-muted">
                  {one.due ? <span>{dueInWords({ due: one.due }, texts)}</span> : null}
                  {one.priority ? <span>{t(`${one.priority} priority`)}</span> : null}
                </span>
              </TickedRow>
              <button
                type="button"
                disabled={busy}
                aria-label={t("Add {title}", { title: one.title })}
                onClick={() => accept([one])}
                className="h-11 shrink-0 rounded-lg px-3 font-semibold text-pine hover:bg-pine-soft"
              >
                {t("Add")}
              </button>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}
