"use client";

import { useState, type FormEvent } from "react";

import { FIELD } from "@/components/auth-form";
import { Dialog, PRIMARY, SECONDARY } from "@/components/dialog";
import { useTexts } from "@/components/texts";
import { useAttempt } from "@/components/use-attempt";
import { request, RequestError } from "@/lib/client";
import { keepDraft, readDraft } from "@/lib/draft";
import { DUE_MAX, NOTES_MAX, TITLE_MAX } from "@/lib/rules";
import type { Todo } from "@/lib/types";

const MOST = { title: TITLE_MAX, notes: NOTES_MAX, due: DUE_MAX };
const LABEL = "mt-4 mb-1.5 block text-sm font-medium first:mt-0";

/** Returns what was changed of a todo, or null for nothing. */
export function edited(todo: Todo, given: FormData): Partial<Todo> | null {
  const said = (name: string) => String(given.get(name) ?? "").trim();
  const wanted = {
    title: said("title"),
    notes: said("notes").replaceAll("\r\n", "\n"),
    due: said("due") || null,
    priority: (said("priority") || null) as Todo["priority"],
  };
  const before = { title: todo.title, notes: todo.notes ?? "", due: todo.due?.replace("T", " ") ?? null, priority: todo.priority ?? null };
  const names = (Object.keys(wanted) as (keyof typeof wanted)[]).filter((name) => wanted[name] !== before[name]);
  return names.length > 0 ? Object.fromEntries(names.map((name) => [name, wanted[name]])) : null;
}

/** What of a text can be seen: a server may write the same in another form, or leave out what nobody sees. */
const visible = (text = "") => text.normalize("NFC").replace(/[\p{C}\s]/gu, "");

/** Returns what was written about a todo and not saved, in this tab. */
function draftOf(user: string, field: string): Partial<Record<"title" | "notes" | "due" | "priority", string>> | null {
  try {
    return JSON.parse(readDraft(user, field) || "null") as ReturnType<typeof draftOf>;
  } catch {
    return null;
  }
}

/** Everything about a todo, to read and to change; what was written stays until it is saved, or cancelled. */
export function TodoEditor({
  todo,
  userId,
  inFlight,
  onSaved,
  onClose,
}: {
  todo: Todo;
  userId: string;
  inFlight: <T>(id: string, work: () => Promise<T>) => Promise<T>;
  onSaved: (todo: Todo) => void;
  onClose: () => void;
}) {
  const { t, timeZone } = useTexts();
  const field = `todo-${todo.id}`;
  const [draft] = useState(() => draftOf(userId, field));
  const { busy, outcome, attempt } = useAttempt();
  /** It was changed elsewhere meanwhile, and whoever writes here knows. */
  const [overtaken, setOvertaken] = useState(false);

  async function save(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const change = edited(todo, new FormData(event.currentTarget));
    if (!change) return leave();
    if (change.title === "") return document.getElementById("edit-title")?.focus();
    const long = (["title", "notes", "due"] as const).find((name) => (change[name]?.length ?? 0) > MOST[name]);
    if (long) {
      document.getElementById(`edit-${long}`)?.focus();
      return void attempt(() => Promise.reject(new RequestError(`Too long: at most ${MOST[long]} characters.`, 0)));
    }
    const send = async () => {
      const version = overtaken ? undefined : todo.version;
      const saved = await request<Todo>("PATCH", `/api/todos/${todo.id}`, { ...change, version }).catch((error: unknown) => {
        if (error instanceof RequestError && error.status === 409) setOvertaken(true);
        throw error;
      });
      if (change.notes !== undefined && visible(saved.notes) !== visible(change.notes)) {
        // A server of the version before, in the middle of an update, leaves out what it does not know.
        throw new RequestError("Not everything was kept. Try again in a moment.", 0);
      }
      onSaved(saved);
      leave();
      return `Changed ${saved.title}.`;
    };
    await attempt(() => inFlight(todo.id, send));
  }

  function leave() {
    keepDraft(userId, field, "");
    onClose();
  }

  const elsewhere = todo.due?.includes("T") && timeZone && todo.due_time_zone !== timeZone ? todo.due_time_zone : null;
  const footer = (
    <>
      <button type="submit" form="todo-editor" aria-busy={busy} className={PRIMARY}>
        {overtaken ? t("Save anyway") : t("Save")}
      </button>
      <button type="button" onClick={leave} className={SECONDARY}>
        {t("Cancel")}
      </button>
    </>
  );
  return (
    <Dialog id="todo-editor" title={t("Todo {number}", { number: todo.number ?? "" }).trim()} {...outcome} footer={footer} onClose={onClose}>
      {draft ? <p className="mb-3 text-sm text-muted">{t("What you had written here is not saved yet.")}</p> : null}
      <form
        id="todo-editor"
        method="post"
        noValidate
        onSubmit={save}
        onChange={({ currentTarget }) => keepDraft(userId, field, JSON.stringify(Object.fromEntries(new FormData(currentTarget))))}
      >
        <label htmlFor="edit-title" className={LABEL}>
          {t("Title")}
        </label>
        <input id="edit-title" name="title" autoFocus autoComplete="off" defaultValue={draft?.title ?? todo.title} className={`${FIELD} w-full`} />
        <label htmlFor="edit-notes" className={LABEL}>
          {t("Notes")}
        </label>
        <textarea
          id="edit-notes"
          name="notes"
          rows={5}
          defaultValue={draft?.notes ?? todo.notes}
          className="w-full rounded-xl border border-line-strong bg-paper px-4 py-3 focus:border-pine focus:outline-2 focus:outline-pine"
        />
        <label htmlFor="edit-due" className={LABEL}>
          {t("Due")}
        </label>
        <input
          id="edit-due"
          name="due"
          autoComplete="off"
          defaultValue={draft?.due ?? todo.due?.replace("T", " ")}
          aria-describedby="edit-due-hint"
          className={`${FIELD} w-full`}
        />
        <p id="edit-due-hint" className="mt-1.5 text-sm text-muted">
          {t("A date, or words: “tomorrow at 5”, “next Friday”. Empty for none.")}
          {elsewhere ? ` ${t("This time is on the clocks of {zone}; another one will be on yours.", { zone: elsewhere.replaceAll("_", " ") })}` : ""}
        </p>
        <label htmlFor="edit-priority" className={LABEL}>
          {t("Priority")}
        </label>
        <select id="edit-priority" name="priority" defaultValue={draft?.priority ?? todo.priority ?? ""} className={`${FIELD} w-full`}>
          <option value="">{t("None")}</option>
          <option value="high">{t("High")}</option>
          <option value="medium">{t("Medium")}</option>
          <option value="low">{t("Low")}</option>
        </select>
      </form>
    </Dialog>
  );
}
