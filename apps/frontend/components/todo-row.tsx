"use client";

import { useEffect, useRef } from "react";

import { Icon } from "@/components/icons";
import { useTexts } from "@/components/texts";
import { useHydrated } from "@/components/use-hydrated";
import { dueAsKept, dueInWords, isOverdue } from "@/lib/due";
import type { Todo } from "@/lib/types";

const ACTION =
  "flex size-9 shrink-0 items-center justify-center rounded-lg text-muted transition-colors hover:bg-paper hover:text-ink";

export function TodoRow({
  todo,
  fresh,
  onToggle,
  onEdit,
  onDelete,
}: {
  todo: Todo;
  /** Just added or changed: shown for a moment, and brought into view. */
  fresh: boolean;
  onToggle: () => void;
  onEdit: () => void;
  onDelete: () => void;
}) {
  const { t } = useTexts();
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (fresh) row.current?.scrollIntoView({ block: "nearest" });
  }, [fresh]);

  const look = todo.completed ? "border-transparent bg-surface/50" : "border-line bg-surface";
  return (
    <li
      ref={row}
      data-todo={todo.id}
      data-fresh={fresh || undefined}
      className={`group/row flex min-h-14 items-center rounded-2xl border pr-2 pl-4 has-[:focus-visible]:border-pine ${look} ${fresh ? "animate-arrive" : ""}`}
    >
      <span className="relative flex size-6 shrink-0">
        <input
          type="checkbox"
          id={`todo-${todo.id}`}
          aria-label={todo.title}
          checked={todo.completed}
          onChange={onToggle}
          className="peer size-6 cursor-pointer appearance-none rounded-lg rounded-bl-xs border-2 border-line-strong bg-transparent transition-colors checked:border-pine-fill checked:bg-pine-fill hover:border-pine"
        />
        <Icon
          name="check"
          className="pointer-events-none absolute inset-1 size-4 text-on-pine opacity-0 peer-checked:opacity-100"
        />
      </span>
      <label
        htmlFor={`todo-${todo.id}`}
        className={`min-w-0 grow py-3.5 pr-2 pl-3.5 wrap-anywhere ${todo.completed ? "text-muted" : ""}`}
      >
        <span className={todo.completed ? "line-through decoration-1" : ""}>{todo.title}</span>
        <Facts todo={todo} />
        {todo.notes ? <span className="mt-0.5 line-clamp-2 text-sm whitespace-pre-line text-muted">{todo.notes}</span> : null}
      </label>
      <button
        type="button"
        id={`edit-${todo.id}`}
        aria-label={t("Edit {title}", { title: todo.title })}
        aria-haspopup="dialog"
        title={t("Edit")}
        onClick={onEdit}
        className={ACTION}
      >
        <Icon name="pencil" className="size-4.5" />
      </button>
      <button
        type="button"
        aria-label={t("Delete {title}", { title: todo.title })}
        title={t("Delete")}
        onClick={onDelete}
        className={`${ACTION} hover:bg-danger-soft hover:text-danger`}
      >
        <Icon name="trash" className="size-4.5" />
      </button>
    </li>
  );
}

/** What there is to know of a todo besides its title: its number, when it is due, how much it matters. */
function Facts({ todo }: { todo: Todo }) {
  const texts = useTexts();
  const { t } = texts;
  const hydrated = useHydrated(); // the day that it is, and how people write it, only the browser knows
  if (!todo.number) return null;
  const late = hydrated && isOverdue(todo, texts);
  return (
    <span className="mt-0.5 flex flex-wrap gap-x-2.5 text-sm text-muted no-underline tabular-nums">
      <span>
        <span className="sr-only">{t("Number")} </span>
        <span aria-hidden="true">#</span>
        {todo.number}
      </span>
      {todo.due ? (
        <span className={late ? "font-medium text-danger" : ""}>
          {t(late ? "Overdue: {due}" : "{due}", { due: (hydrated ? dueInWords : dueAsKept)({ ...todo, due: todo.due }, texts) })}
        </span>
      ) : null}
      {todo.priority ? (
        <span className={todo.priority === "high" ? "font-medium text-ink" : ""}>
          {t({ low: "Low priority", medium: "Medium priority", high: "High priority" }[todo.priority])}
        </span>
      ) : null}
    </span>
  );
}
