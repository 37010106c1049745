"use client";

import { useEffect, useRef, useState, type ReactNode } from "react";

import { Icon } from "@/components/icons";
import { useTexts } from "@/components/texts";
import { useHydrated } from "@/components/use-hydrated";
import { changeInWords } from "@/lib/changes";
import { request, RequestError } from "@/lib/client";
import { dueAsKept, dueInWords } from "@/lib/due";
import type { Change } from "@/lib/types";

/** What was changed, to be taken back where nothing stands in the way. */
export function Receipt({
  change,
  onUndone,
  children,
}: {
  change: Change;
  onUndone: (ids: string[]) => Promise<void>;
  children?: ReactNode;
}) {
  const texts = useTexts();
  const { t } = texts;
  const [state, setState] = useState<{ busy?: boolean; undone?: boolean; problem?: string }>({});
  const line = changeInWords(change, texts, useHydrated() ? dueInWords : dueAsKept);
  const outcome = useRef<HTMLSpanElement>(null);
  const undone = state.undone || Boolean(change.undone_at);
  const final = change.kind === "undo" || (change.obstacle && !state.problem);

  // The button that was pressed is gone: whoever works with the keyboard hears what came of it, and goes on from there.
  useEffect(() => {
    if (state.undone) outcome.current?.focus({ preventScroll: true });
  }, [state.undone]);

  async function undo() {
    setState({ busy: true });
    try {
      await request("POST", `/api/changes/${change.id}/undo`);
      setState({ undone: true });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      setState({ problem: error.message });
    }
    await onUndone([change.todo_id]);
  }

  return (
    <li className="rounded-xl border border-line bg-surface py-0.5 pr-1 pl-3 text-sm">
      <div className="flex min-h-8 items-center gap-2">
        <Icon name="check" className={`size-4 ${undone ? "text-muted" : "text-pine"}`} />
        <div className="min-w-0 grow py-1 wrap-anywhere">
          <span className={undone ? "text-muted line-through" : ""}>{line}</span>
          {children}
        </div>
        {undone ? (
          <span ref={outcome} tabIndex={-1} className="shrink-0 rounded-md px-2 text-muted outline-none">
            {t("Taken back")}
          </span>
        ) : final ? null : (
          <button
            type="button"
            disabled={state.busy}
            aria-label={t("Undo: {line}", { line })}
            onClick={() => void undo()}
            className="h-8 shrink-0 rounded-lg px-2 font-semibold text-pine hover:bg-pine-soft"
          >
            {t("Undo")}
          </button>
        )}
      </div>
      {!undone && change.kind !== "undo" && change.obstacle && !state.problem ? (
        <p className="pb-1 pl-6 text-muted">{t(change.obstacle)}</p>
      ) : null}
      <div role="alert">{state.problem ? <p className="pb-1 pl-6 text-danger">{t(state.problem)}</p> : null}</div>
    </li>
  );
}
