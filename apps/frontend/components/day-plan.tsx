"use client";

import { useEffect, useEffectEvent, useState } from "react";

import { Dialog, PRIMARY, TickedRow } from "@/components/dialog";
import { useTexts } from "@/components/texts";
import { useAttempt } from "@/components/use-attempt";
import { request } from "@/lib/client";
import { dueInWords, isDueToday, isOverdue } from "@/lib/due";
import { PLANNED_FROM, planOf } from "@/lib/listing";
import type { Texts } from "@/lib/texts";
import type { Todo } from "@/lib/types";

/** Proposes a day; what is ticked becomes due today. */
export function DayPlan({ onChanged, onClose }: { onChanged: () => Promise<void>; onClose: () => void }) {
  const texts = useTexts();
  const { t } = texts;
  const { busy, outcome, attempt } = useAttempt();
  const [found, setFound] = useState<Todo[] | null>(null);
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());

  const propose = useEffectEvent(() =>
    attempt(async () => {
      const todos = planOf(await Promise.all(PLANNED_FROM.map((source) => request<Todo[]>("GET", `/api/todos?${source}`))));
      setFound(todos);
      setTicked(new Set(todos.map(({ id }) => id)));
      return `${todos.length} todos are proposed.`;
    }),
  );
  useEffect(() => void propose(), []);

  const later = found?.filter((todo) => ticked.has(todo.id) && !isDueToday(todo, texts)) ?? [];

  function take() {
    void attempt(async () => {
      try {
        for (const { id, version } of later) {
          const planned = await request<Todo>("PATCH", `/api/todos/${id}`, { due: "today", version });
          setFound((now) => now && now.map((one) => (one.id === id ? planned : one))); // what is left is done by the next attempt
        }
      } finally {
        await onChanged();
      }
      onClose();
      return "Planned.";
    });
  }

  const footer =
    later.length > 0 ? (
      <button type="button" aria-busy={busy} onClick={() => (busy ? undefined : take())} className={PRIMARY}>
        {later.length === 1 ? t("Make one due today") : t("Make {n} due today", { n: later.length })}
      </button>
    ) : null;
  return (
    <Dialog id="day-plan" title={t("Plan my day")} {...outcome} footer={footer} onClose={onClose}>
      {found === null ? (
        <p className="text-muted">{outcome.error ? "" : t("Looking through your list …")}</p>
      ) : found.length === 0 ? (
        <p className="text-muted">{t("Nothing is overdue, due today or of high priority. The day is yours.")}</p>
      ) : (
        <ol className="divide-y divide-line">
          {found.map((todo) => (
            <li key={todo.id} className="py-1.5">
              <TickedRow
                ticked={ticked.has(todo.id)}
                onTick={(on) => setTicked((now) => new Set(on ? [...now, todo.id] : [...now].filter((id) => id !== todo.id)))}
              >
                <span className="wrap-anywhere">{todo.title}</span>
                <span className="block text-sm text-muted">{reason(todo, texts)}</span>
              </TickedRow>
            </li>
          ))}
        </ol>
      )}
    </Dialog>
  );
}

/** Why a todo is proposed. */
function reason(todo: Todo, texts: Texts): string {
  if (!todo.due) return texts.t("High priority");
  const due = dueInWords({ ...todo, due: todo.due }, texts);
  return isOverdue(todo, texts) ? texts.t("Overdue: {due}", { due }) : due;
}
