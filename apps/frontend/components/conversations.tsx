"use client";

import { useEffect, useEffectEvent, useRef, useState, type FormEvent } from "react";

import { Dialog } from "@/components/dialog";
import { Icon } from "@/components/icons";
import { useTexts } from "@/components/texts";
import { useAttempt } from "@/components/use-attempt";
import { request, RequestError } from "@/lib/client";
import { localeOf, type Texts } from "@/lib/texts";
import type { ConversationSummary } from "@/lib/types";

const ACTION = "flex size-11 shrink-0 items-center justify-center rounded-lg text-muted hover:bg-paper hover:text-ink";
const CHOICE = "h-10 rounded-xl px-4 font-medium";
const TITLE_MAX = 100;

type Doing = { id: string; what: "rename" | "delete" };

/** Returns what a conversation is called. */
export const titleOf = (title: string | null | undefined, t: Texts["t"]) => title || t("Conversation");

/** All conversations: one is opened, renamed, deleted. */
export function Conversations({
  current,
  onOpen,
  onRenamed,
  onDeleted,
  onClose,
}: {
  current: string | undefined;
  onOpen: (id: string) => void;
  onRenamed: (conversation: ConversationSummary) => void;
  onDeleted: (id: string) => void;
  onClose: () => void;
}) {
  const { t, language } = useTexts();
  const focusNext = useRef<string>(null);
  const [listed, setListed] = useState<ConversationSummary[] | null>(null);
  const [more, setMore] = useState(false);
  const [doing, setDoing] = useState<Doing | null>(null);
  const { busy, outcome, attempt } = useAttempt();

  const read = (after?: ConversationSummary) =>
    attempt(async () => {
      let further = false;
      const heard = (headers: Headers) => (further = headers.has("x-more"));
      const path = `/api/chat/conversations${after ? `?after=${after.id}` : ""}`;
      const found = await request<ConversationSummary[]>("GET", path, undefined, { heard });
      setListed((now) => [...(after ? (now ?? []) : []), ...found]);
      setMore(further);
      return "";
    });
  const begin = useEffectEvent(() => read());
  useEffect(() => void begin(), []);

  // Whoever works with the keyboard goes on where they were.
  useEffect(() => {
    if (!focusNext.current) return;
    document.getElementById(focusNext.current)?.focus();
    focusNext.current = null;
  }, [doing]);

  function end(next: string) {
    focusNext.current = next;
    setDoing(null);
  }

  async function rename(event: FormEvent<HTMLFormElement>, one: ConversationSummary) {
    event.preventDefault();
    const title = String(new FormData(event.currentTarget).get("title")).trim();
    if (!title) return;
    await attempt(async () => {
      const renamed = await request<ConversationSummary>("PATCH", `/api/chat/conversations/${one.id}`, { title });
      setListed((now) => now && now.map((item) => (item.id === renamed.id ? renamed : item)));
      onRenamed(renamed);
      end(`rename-${one.id}`);
      return `Renamed to ${titleOf(renamed.title, t)}.`;
    });
  }

  async function remove(one: ConversationSummary) {
    await attempt(async () => {
      await request("DELETE", `/api/chat/conversations/${one.id}`).catch((failure: unknown) => {
        if (!(failure instanceof RequestError) || failure.status !== 404) throw failure; // it was deleted already
      });
      setListed((now) => now && now.filter(({ id }) => id !== one.id));
      onDeleted(one.id);
      end("conversations-heading");
      return `Deleted ${titleOf(one.title, t)}.`;
    });
  }

  const row = (one: ConversationSummary) => {
    const title = titleOf(one.title, t);
    if (doing?.id === one.id && doing.what === "rename") {
      return (
        <form method="post" onSubmit={(event) => void rename(event, one)} className="flex grow items-center gap-2 py-1">
          <input
            autoFocus
            name="title"
            aria-label={t("New title of {title}", { title })}
            defaultValue={one.title ?? ""}
            maxLength={TITLE_MAX}
            autoComplete="off"
            onFocus={(event) => event.currentTarget.select()}
            onKeyDown={(event) => {
              if (event.key !== "Escape") return;
              event.preventDefault(); // the dialog stays
              end(`rename-${one.id}`);
            }}
            className="h-11 min-w-0 grow rounded-xl border border-line-strong bg-surface px-3"
          />
          <button type="submit" disabled={busy} className={`${CHOICE} bg-pine-fill text-on-pine hover:bg-pine-deep`}>
            {t("Save")}
          </button>
        </form>
      );
    }
    if (doing?.id === one.id) {
      return (
        <div role="group" aria-label={t("Delete {title}", { title })} className="flex grow flex-wrap items-center gap-2 py-2">
          <p className="w-full wrap-anywhere">
            {t("Delete “{title}” with all that was said in it? What was done to your list stays.", { title })}
          </p>
          <button type="button" disabled={busy} onClick={() => void remove(one)} className={`${CHOICE} bg-danger-soft text-danger hover:underline`}>
            {t("Delete it")}
          </button>
          <button
            autoFocus
            type="button"
            onClick={() => end(`delete-${one.id}`)}
            className={`${CHOICE} border border-line-strong hover:border-pine`}
          >
            {t("Keep it")}
          </button>
        </div>
      );
    }
    return (
      <>
        <button
          type="button"
          aria-current={one.id === current || undefined}
          onClick={() => {
            onClose();
            onOpen(one.id);
          }}
          className="min-w-0 grow rounded-lg px-2 py-2 text-left hover:bg-paper aria-[current]:font-semibold"
        >
          <span className="block truncate">{title}</span>
          <span className="block text-sm font-normal text-muted">
            {new Date(one.created_at).toLocaleString(localeOf(language), { dateStyle: "medium", timeStyle: "short" })}
            {one.id === current ? ` · ${t("open")}` : ""}
          </span>
        </button>
        <button
          id={`rename-${one.id}`}
          type="button"
          title={t("Rename")}
          aria-label={t("Rename {title}", { title })}
          onClick={() => setDoing({ id: one.id, what: "rename" })}
          className={ACTION}
        >
          <Icon name="pencil" className="size-4.5" />
        </button>
        <button
          id={`delete-${one.id}`}
          type="button"
          title={t("Delete")}
          aria-label={t("Delete {title}", { title })}
          onClick={() => setDoing({ id: one.id, what: "delete" })}
          className={`${ACTION} hover:bg-danger-soft hover:text-danger`}
        >
          <Icon name="trash" className="size-4.5" />
        </button>
      </>
    );
  };

  return (
    <Dialog id="conversations" title={t("Conversations")} {...outcome} onClose={onClose}>
      {listed === null && !outcome.error ? <p className="text-muted">{t("Reading your conversations …")}</p> : null}
      {listed?.length === 0 ? <p className="text-muted">{t("There is none yet. The first message to the assistant begins one.")}</p> : null}
      {listed?.length ? (
        <ul className="divide-y divide-line">
          {listed.map((one) => (
            <li key={one.id} className="flex items-center py-1">
              {row(one)}
            </li>
          ))}
        </ul>
      ) : null}
      {more ? (
        <button
          type="button"
          disabled={busy}
          onClick={() => void read(listed?.at(-1))}
          className={`${CHOICE} mt-2 w-full border border-line-strong hover:border-pine`}
        >
          {t("Older conversations")}
        </button>
      ) : null}
    </Dialog>
  );
}
