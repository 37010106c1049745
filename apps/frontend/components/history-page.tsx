"use client";

import { useRef, useState } from "react";

import { Logo } from "@/components/logo";
import { Receipt } from "@/components/receipt";
import { useTexts } from "@/components/texts";
import { useHydrated } from "@/components/use-hydrated";
import { changeInWords, whoInWords } from "@/lib/changes";
import { request, RequestError } from "@/lib/client";
import { CHANGES_MAX } from "@/lib/rules";
import { localeOf, type Texts } from "@/lib/texts";
import type { Actor, Change, TakenBack, Who } from "@/lib/types";

const QUIET = "inline-flex h-11 items-center rounded-xl border border-line-strong px-4 font-medium hover:border-pine hover:text-pine";
const isSame = (one: Who, other: Who | null) => one.actor === other?.actor && one.actor_name === other.actor_name;
const inAll = (count: number, t: Texts["t"]) => (count === 1 ? t("1 change") : t("{n} changes", { n: count }));

/** Every change of the last 30 days, by whom, to be taken back. */
export function HistoryPage({ initialChanges, initialActors }: { initialChanges: Change[]; initialActors: Actor[] }) {
  const texts = useTexts();
  const { t, language } = texts;
  const hydrated = useHydrated(); // the day that it is, and how people write it, only the browser knows
  const heading = useRef<HTMLHeadingElement>(null);
  const main = useRef<HTMLElement>(null);
  const [changes, setChanges] = useState(initialChanges);
  const [more, setMore] = useState(initialChanges.length === CHANGES_MAX);
  const [actors, setActors] = useState(initialActors);
  const [who, setWho] = useState<Actor | null>(null);
  const [asking, setAsking] = useState<Actor | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const [news, setNews] = useState("");
  const [refused, setRefused] = useState<Change[]>([]);

  async function attempt(work: () => Promise<void>) {
    setBusy(true);
    setError(undefined);
    try {
      await work();
    } catch (failure) {
      if (!(failure instanceof RequestError)) throw failure;
      setError(failure.message);
    }
    setBusy(false);
  }

  function pathOf(by: Actor | null, before?: number): string {
    const given = { actor: by?.actor, actor_name: by?.actor_name, before: before?.toString() };
    return `/api/changes?${new URLSearchParams(Object.entries(given).filter((one): one is [string, string] => Boolean(one[1])))}`;
  }

  async function read(by: Actor | null, before?: number) {
    const found = await request<Change[]>("GET", pathOf(by, before));
    setChanges((now) => (before ? [...now, ...found] : found));
    setMore(found.length === CHANGES_MAX);
    if (before && found.length < CHANGES_MAX) main.current?.focus({ preventScroll: true }); // the button is gone
  }

  /** Shows as many as before, as they stand now. */
  async function readAgain() {
    const oldest = changes.at(-1)?.id ?? 0;
    const found: Change[] = [];
    let page: Change[];
    do {
      page = await request<Change[]>("GET", pathOf(who, found.at(-1)?.id));
      found.push(...page);
    } while (page.length === CHANGES_MAX && (page.at(-1)?.id ?? 0) > oldest);
    setChanges(found);
    setMore(page.length === CHANGES_MAX);
    setActors(await request<Actor[]>("GET", "/api/changes/actors"));
  }

  function choose(next: Actor | null) {
    void attempt(async () => {
      await read(next);
      setWho(next);
    });
  }

  function undoTodays(by: Actor) {
    setAsking(null);
    setNews("");
    setRefused([]);
    heading.current?.focus(); // the button is gone
    void attempt(async () => {
      const { actor, actor_name } = by;
      let before: number | null = by.last + 1;
      let count = 0;
      const left: Change[] = [];
      try {
        while (before) {
          const body = { actor, actor_name, before };
          const done: TakenBack = await request<TakenBack>("POST", "/api/changes/today/undo", body);
          count += done.undone.length;
          left.push(...done.refused);
          before = done.before;
        }
      } finally {
        const stay = left.length === 0 ? "" : ` ${left.length === 1 ? t("One stays:") : t("{n} stay:", { n: left.length })}`;
        setNews(t("Took back {changes}.", { changes: inAll(count, t) }) + stay);
        setRefused(left);
        await readAgain();
      }
    });
  }

  const days = new Map<string, Change[]>();
  for (const change of changes) {
    const made = change.created_at ?? "";
    const day = hydrated ? new Date(made).toLocaleDateString(localeOf(language), { weekday: "long", day: "numeric", month: "long" }) : made.slice(0, 10);
    days.set(day, [...(days.get(day) ?? []), change]);
  }
  const todays = actors.filter(({ today }) => today > 0);
  const choice = (one: Actor | null) => (
    <button
      key={one ? `${one.actor} ${one.actor_name}` : ""}
      type="button"
      aria-pressed={one ? isSame(one, who) : who === null}
      disabled={!hydrated || busy}
      onClick={() => choose(one)}
      className="h-10 max-w-full truncate rounded-full border border-line-strong bg-surface px-4 text-sm font-medium hover:border-pine aria-pressed:border-pine-fill aria-pressed:bg-pine-fill aria-pressed:text-on-pine"
    >
      {one ? whoInWords(one, texts) : t("Everybody")}
    </button>
  );

  return (
    <div className="flex min-h-dvh flex-col px-4 pb-16 sm:px-6">
      <header className="flex h-16 shrink-0 items-center justify-between">
        <Logo />
        <a href="/todos" className={QUIET}>
          {t("Back to your list")}
        </a>
      </header>
      <main ref={main} tabIndex={-1} className="mx-auto flex w-full max-w-2xl flex-col gap-5 pt-4 outline-none">
        <div>
          <h1 ref={heading} tabIndex={-1} className="text-3xl font-semibold tracking-tight outline-none">
            {t("History")}
          </h1>
          <p className="mt-2 text-muted">{t("What has changed on your list in the last 30 days, and who changed it.")}</p>
          <div role="alert">{error ? <p className="mt-4 rounded-xl bg-danger-soft px-4 py-2.5 text-sm text-danger">{t(error)}</p> : null}</div>
          <div role="status">
            {news ? <p className="mt-4 rounded-xl bg-pine-soft px-4 py-2.5 text-sm">{news}</p> : null}
            {refused.length > 0 ? (
              <ul className="mt-2 list-disc pl-6 text-sm wrap-anywhere">
                {refused.map((change) => (
                  <li key={change.id}>
                    {changeInWords(change, texts)}: {change.obstacle ? t(change.obstacle) : ""}
                  </li>
                ))}
              </ul>
            ) : null}
          </div>
        </div>
        {todays.length > 0 ? (
          <section
            aria-labelledby="today"
            className="rounded-3xl rounded-bl-lg border border-line bg-surface p-5 shadow-lift sm:p-6"
          >
            <h2 id="today" className="text-xl font-semibold tracking-tight">
              {t("Today")}
            </h2>
            <ul className="mt-2 divide-y divide-line">
              {todays.map((one) => (
                <li key={`${one.actor} ${one.actor_name}`} className="flex flex-wrap items-center gap-x-3 gap-y-2 py-2">
                  <p className="min-w-0 flex-1 basis-40 wrap-anywhere">
                    <span className="font-medium">{whoInWords(one, texts)}</span>
                    <span className="block text-sm text-muted">{inAll(one.today, t)}</span>
                  </p>
                  {isSame(one, asking) ? (
                    <div role="group" aria-label={t("Undo all of today by {one}", { one: whoInWords(one, texts) })} className="flex flex-wrap gap-2">
                      <button
                        type="button"
                        disabled={busy}
                        onClick={() => undoTodays(one)}
                        className="h-11 rounded-xl bg-danger-soft px-4 font-medium text-danger hover:underline"
                      >
                        {t("Take back {changes}", { changes: inAll(one.today, t) })}
                      </button>
                      <button autoFocus type="button" onClick={() => setAsking(null)} className={QUIET}>
                        {t("Keep")}
                      </button>
                    </div>
                  ) : (
                    <button
                      type="button"
                      disabled={!hydrated || busy}
                      aria-label={t("Undo today’s changes: {one}", { one: whoInWords(one, texts) })}
                      onClick={() => setAsking(one)}
                      className={QUIET}
                    >
                      {t("Undo today’s")}
                    </button>
                  )}
                </li>
              ))}
            </ul>
          </section>
        ) : null}
        {actors.length > 1 ? (
          <div role="group" aria-label={t("Changes by")} className="flex flex-wrap gap-2">
            {choice(null)}
            {actors.map(choice)}
          </div>
        ) : null}
        {changes.length === 0 ? (
          <p className="bubble-left border border-dashed border-line-strong/60 px-6 py-10 text-center text-muted">
            {t("Nothing has changed yet. Whatever you or an assistant do to your list is told here.")}
          </p>
        ) : null}
        {[...days].map(([day, made]) => (
          <section key={day} aria-label={day}>
            <h2 className="mb-2 text-sm font-medium text-muted">{day}</h2>
            <ul className="flex flex-col gap-2">
              {made.map((change) => (
                <Receipt key={change.id} change={change} onUndone={() => attempt(readAgain)}>
                  <span className="block text-muted">
                    {whoInWords(change, texts)}
                    {hydrated ? `, ${new Date(change.created_at ?? "").toLocaleTimeString(localeOf(language), { timeStyle: "short" })}` : ""}
                  </span>
                </Receipt>
              ))}
            </ul>
          </section>
        ))}
        {more ? (
          <button
            type="button"
            disabled={!hydrated || busy}
            onClick={() => void attempt(() => read(who, changes.at(-1)?.id))}
            className={`${QUIET} self-center`}
          >
            {t("Earlier changes")}
          </button>
        ) : null}
      </main>
    </div>
  );
}
