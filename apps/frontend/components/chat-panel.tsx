"use client";

import { useCallback, useEffect, useRef, useState, type FormEvent, type KeyboardEvent } from "react";

import { Conversations, titleOf } from "@/components/conversations";
import { Icon } from "@/components/icons";
import { Mark } from "@/components/logo";
import { Prose } from "@/components/prose";
import { Receipt } from "@/components/receipt";
import { useTexts } from "@/components/texts";
import { useHydrated } from "@/components/use-hydrated";
import { assistantInWords, BUILT_IN } from "@/lib/changes";
import { request, RequestError } from "@/lib/client";
import { keepDraft, readDraft, rememberConversation, takeDraft } from "@/lib/draft";
import { newId } from "@/lib/id";
import { MESSAGE_MAX } from "@/lib/rules";
import { doingInWords, follow, NOTHING, type Doing, type Progress, type Said } from "@/lib/turn";
import type { Change, Confirmation, Conversation, Message, Serving, Todo } from "@/lib/types";

/** `problem` is set on a message that did not get through. */
type Bubble = {
  key: number;
  said?: Said;
  role: "user" | "assistant";
  content: string;
  problem?: string;
  assistant?: string | null;
  notice?: string | null;
  changes?: Change[];
  /** Whether more was deleted than has a receipt here. */
  seeHistory?: boolean;
};
/** Which conversation is open; a new one has no id yet. */
type Talk = { opened: number; id?: string; title?: string | null; earlier?: number | null };
/** An answer that is under way; begun once the server has said so. */
type Live = { id: string; progress: Progress; begun: boolean; lost: boolean; stopping: boolean; problem?: string };

const ROUND =
  "ml-2 flex size-10 shrink-0 items-center justify-center rounded-xl rounded-br-sm bg-pine-fill text-on-pine hover:bg-pine-deep disabled:bg-line disabled:text-muted";
/** Of the todos that are to be deleted: what is confirmed is what is read here, and not what an assistant says of it. */
const SHOWN = 20;
const SUGGESTIONS = ["add buy milk", "show my list", "complete buy milk", "what can you do?"];

const QUIET =
  "flex h-10 items-center gap-1.5 rounded-lg px-2 text-sm font-medium text-muted hover:bg-paper hover:text-ink disabled:opacity-60";

const toBubbles = (messages: Message[], first: number): Bubble[] =>
  messages.map(({ role, content, assistant, notice, changes }, index) => ({ key: first + index, role, content, assistant, notice, changes }));

export function ChatPanel({
  className,
  userId,
  initialConversation,
  initialServing,
  onAnswer,
}: {
  className: string;
  userId: string;
  /** Undefined where it could not be read. */
  initialConversation: Conversation | null | undefined;
  initialServing: Serving | undefined;
  /** Called when the list may have changed, with the ids of todos that have. */
  onAnswer: (ids: string[]) => Promise<void>;
}) {
  const texts = useTexts();
  const { t } = texts;
  const hydrated = useHydrated();
  const scroller = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const [talk, setTalk] = useState<Talk>({ opened: 0, ...initialConversation });
  const [unreadable, setUnreadable] = useState(initialConversation === undefined);
  const [older, setOlder] = useState<Bubble[]>([]);
  const [bubbles, setBubbles] = useState<Bubble[]>(() => toBubbles(initialConversation?.messages ?? [], 0));
  const nextKey = useRef(bubbles.length);
  const conversation = useRef(initialConversation?.id);
  const [listing, setListing] = useState(false);
  const [reading, setReading] = useState(false);
  const [problem, setProblem] = useState<string>();
  const leaving = useRef<AbortController>(null);
  /** The message that is to be stopped and that the server did not know yet. */
  const stopping = useRef<string>(null);
  const [draft, setDraft] = useState("");
  const [live, setLive] = useState<Live | null>(null);
  const [confirming, setConfirming] = useState(false);
  const [serving, setServing] = useState(initialServing);
  const [question, setQuestion] = useState<Confirmation | null>(initialConversation?.messages.at(-1)?.confirmation ?? null);
  const waiting = live !== null || confirming || reading;
  const message = draft.trim();
  const tooLong = message.length > MESSAGE_MAX;
  /** Left before it has reached the server, a message would be lost. */
  const held = confirming || reading || (live !== null && !live.begun);

  const readAgain = useCallback(
    (ids: string[]) =>
      onAnswer(ids).catch((error: unknown) => {
        if (!(error instanceof RequestError)) throw error;
      }),
    [onAnswer],
  );

  const follows = useCallback(
    async (said: Said) => {
      const { signal } = (leaving.current = new AbortController());
      setLive({ id: said.id, progress: NOTHING, begun: false, lost: false, stopping: false });
      keepDraft(userId, "turn", JSON.stringify(said)); // so that a page that is loaded anew goes on with it
      const changed = (changes: Partial<Live>) => setLive((now) => now && { ...now, ...changes });
      let ids: string[] = [];
      try {
        const answer = await follow(said, {
          signal,
          onProgress: (progress) => {
            changed({ progress, begun: true });
            if (stopping.current === said.id) void request("POST", `/api/chat/turns/${said.id}/stop`).catch(() => undefined);
            stopping.current = null;
          },
          onChange: ({ todo_id }) => void readAgain([todo_id]),
          onLost: (lost) => changed({ lost }),
        });
        if (signal.aborted) return;
        if (!conversation.current) setTalk((now) => ({ ...now, id: answer.conversation_id, title: said.message }));
        conversation.current = answer.conversation_id;
        rememberConversation(answer.conversation_id);
        setQuestion(answer.confirmation ?? null);
        const { reply: content, assistant, notice, changes = [] } = answer;
        ids = changes.map(({ todo_id }) => todo_id);
        setBubbles((now) => [...now, { key: nextKey.current++, role: "assistant", content, assistant, notice, changes }]);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof RequestError)) throw error;
        if (error.status === 401) keepDraft(userId, "message", said.message);
        if (error.status === 404) {
          // deleted elsewhere: what is said next begins another one
          conversation.current = undefined;
          setTalk(({ opened }) => ({ opened }));
        }
        setBubbles((now) => now.map((item) => (item.said === said ? { ...item, problem: error.message } : item)));
      }
      takeDraft(userId, "turn");
      setLive(null);
      // Also after a failure: the answer may have been lost when the work was done.
      await readAgain(ids);
      await request<Serving>("GET", "/api/chat/assistant").then(setServing, () => undefined);
    },
    [readAgain, userId],
  );

  const send = useCallback(
    (said: Said) => {
      const bubble: Bubble = { key: nextKey.current++, said, role: "user", content: said.message };
      // A message that failed before is this one, or has been given up for it.
      setBubbles((now) => [...now.filter(({ problem }) => !problem), bubble]);
      void follows(said);
    },
    [follows],
  );

  const goOn = useCallback(
    (said: Said) => {
      // What is kept of it comes again, with all that it changed.
      setBubbles((now) => {
        const last = now.findLastIndex(({ role }) => role === "user");
        return now[last]?.content === said.message ? now.slice(0, last) : now;
      });
      send(said);
    },
    [send],
  );

  async function stop({ id }: Live) {
    setLive((now) => now && { ...now, stopping: true, problem: undefined });
    try {
      await request("POST", `/api/chat/turns/${id}/stop`);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (error.status === 404) return void (stopping.current = id); // it is not there yet, or there is nothing to stop any more
      const problem = `${t("Not stopped.")} ${t(error.message)}`;
      setLive((now) => now && { ...now, stopping: false, problem });
    }
  }

  function type(text: string) {
    setDraft(text);
    keepDraft(userId, "message", text);
  }

  function submit(event?: FormEvent) {
    event?.preventDefault();
    if (!message || tooLong || waiting) return field.current?.focus();
    type("");
    send({ id: newId(), message, conversation_id: conversation.current });
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  }

  // The browser keeps the end in view for whoever is there; who has scrolled up is reading, and only their own message ends that.
  const said = bubbles.findLast(({ role }) => role === "user")?.key;
  useEffect(() => {
    if (scroller.current) scroller.current.scrollTop = 0; // the end, in a reversed column
  }, [said]);

  useEffect(() => {
    const kept = readDraft(userId, "message");
    if (kept) setDraft(kept);
    const turn = takeDraft(userId, "turn");
    const said = turn ? (JSON.parse(turn) as Said) : undefined;
    const at = initialConversation?.at_work;
    if (said && (!said.conversation_id || said.conversation_id === conversation.current)) goOn(said);
    else if (at) goOn({ ...at, conversation_id: conversation.current });
    return () => leaving.current?.abort();
  }, [userId, goOn, initialConversation]);

  /** Leaves the conversation for another one, or for a new one. An answer that is under way goes on without us. */
  function show(found: Conversation | undefined) {
    leaving.current?.abort();
    takeDraft(userId, "turn");
    setLive(null);
    setUnreadable(false);
    setProblem(undefined);
    conversation.current = found?.id;
    rememberConversation(found?.id ?? "new");
    setTalk(({ opened }) => ({ opened: opened + 1, ...found }));
    setOlder([]);
    setBubbles(toBubbles(found?.messages ?? [], nextKey.current));
    nextKey.current += found?.messages.length ?? 0;
    setQuestion(found?.messages.at(-1)?.confirmation ?? null);
    if (found?.at_work) goOn({ ...found.at_work, conversation_id: found.id });
  }

  async function open(id: string) {
    setReading(true);
    setProblem(undefined);
    try {
      show(await request<Conversation>("GET", `/api/chat/conversations/${id}`));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      setProblem(error.message);
    }
    setReading(false);
    scroller.current?.focus({ preventScroll: true });
  }

  async function readEarlier() {
    if (!talk.earlier) return;
    setReading(true);
    setProblem(undefined);
    try {
      const page = await request<Conversation>("GET", `/api/chat/conversations/${talk.id}?before=${talk.earlier}`);
      const added = toBubbles(page.messages, nextKey.current);
      nextKey.current += added.length;
      setOlder((now) => [...added, ...now]);
      setTalk((now) => ({ ...now, earlier: page.earlier }));
      if (!page.earlier) scroller.current?.focus({ preventScroll: true }); // the button is gone
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      setProblem(error.message);
    }
    setReading(false);
  }

  /** What was taken back may have stood in the way of taking something else back. */
  async function showUndone(ids: string[]) {
    await readAgain(ids);
    if (!conversation.current) return;
    const { messages } = await request<Conversation>("GET", `/api/chat/conversations/${conversation.current}`).catch(
      () => ({ messages: [] as Message[] }),
    );
    const now = new Map(messages.flatMap(({ changes = [] }) => changes.map((change) => [change.id, change])));
    const newest = (before: Bubble[]) =>
      before.map((bubble) => ({ ...bubble, changes: bubble.changes?.map((change) => now.get(change.id) ?? change) }));
    setBubbles(newest);
    setOlder(newest);
  }

  /** Answers with no; unheard, it would be asked again after a reload. */
  async function keep(asked: Confirmation) {
    setQuestion(null);
    setProblem(undefined);
    field.current?.focus();
    try {
      await request("DELETE", `/api/confirmations/${asked.id}`);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (error.status > 0 && error.status < 500) return; // there is nothing to answer any more
      setProblem(error.message);
      setQuestion((now) => now ?? asked);
    }
  }

  async function confirm({ id }: Confirmation) {
    setQuestion(null);
    setConfirming(true);
    scroller.current?.focus({ preventScroll: true }); // the button is gone
    let content: string;
    let seeHistory = false;
    let changes: Change[] = [];
    try {
      const answer = await request<{ deleted: Todo[]; changes?: Change[]; left: string[] }>("POST", `/api/confirmations/${id}`);
      const { deleted, left } = answer;
      content = deleted.length === 1 ? t("Deleted 1 todo.") : t("Deleted {n} todos.", { n: deleted.length });
      // a backend of the version before names none
      if (answer.changes && deleted.length <= SHOWN) changes = answer.changes;
      else seeHistory = deleted.length > 0;
      if (left.length > 0) content += ` ${t("{n} had changed meanwhile and stayed.", { n: left.length })}`;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      content = t(error.message);
    }
    setConfirming(false);
    setBubbles((now) => [...now, { key: nextKey.current++, role: "assistant", content, seeHistory, changes }]);
    await readAgain([]);
  }

  const row = (bubble: Bubble, index: number, all: Bubble[]) => {
    // What is said above already is not said again.
    const notice = [serving?.notice, all[index - 2]?.notice].includes(bubble.notice) ? null : bubble.notice;
    const other = bubble.assistant && bubble.assistant !== serving?.assistant ? assistantInWords(bubble.assistant, texts) : null;
    return (
      <li key={bubble.key} className={`flex flex-col ${bubble.role === "user" ? "last:animate-rise" : ""}`}>
        <Spoken role={bubble.role} failed={Boolean(bubble.problem)}>
          <Words {...bubble} />
        </Spoken>
        {other || notice ? (
          <p className="mt-1.5 pl-8.5 text-sm wrap-anywhere text-muted">{[other, notice && t(notice)].filter(Boolean).join(": ")}</p>
        ) : null}
        {bubble.seeHistory ? (
          <p className="mt-1.5 pl-8.5 text-sm text-muted">
            {t("They can be taken back:")}{" "}
            <a href="/history" className="rounded-sm underline underline-offset-4 hover:text-pine">
              {t("history")}
            </a>
          </p>
        ) : null}
        {bubble.changes?.length ? (
          <ul aria-label={t("What was changed")} className="mt-1.5 mr-6 flex flex-col gap-1 pl-8.5">
            {bubble.changes.map((change) => (
              <Receipt key={change.id} change={change} onUndone={showUndone} />
            ))}
          </ul>
        ) : null}
        {bubble.problem ? (
          <div role="alert" className="mt-1.5 flex flex-wrap items-center justify-end gap-x-3 text-right text-sm text-danger">
            <span>{`${t("No answer.")} ${t(bubble.problem)}`}</span>
            <button
              type="button"
              onClick={() => bubble.said && send({ ...bubble.said, conversation_id: conversation.current })}
              className="rounded-md py-1 font-semibold underline underline-offset-4"
            >
              {t("Try again")}
            </button>
          </div>
        ) : null}
      </li>
    );
  };

  return (
    <section
      aria-labelledby="chat-heading"
      className={`flex min-h-0 flex-col overflow-hidden rounded-3xl rounded-bl-lg border border-line bg-surface shadow-lift ${className}`}
    >
      <div className="shrink-0 border-b border-line px-5 py-4">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <h2 id="chat-heading" className="font-semibold">
            {t("Assistant")}
          </h2>
          <span className="max-w-full truncate rounded-full bg-pine-soft px-2.5 py-0.5 text-xs font-medium text-ink">
            {serving ? assistantInWords(serving.assistant, texts) : t("Not known just now")}
          </span>
        </div>
        <p className="mt-1 text-sm text-muted">
          {serving ? <Explanation serving={serving} /> : t("Which assistant answers cannot be read right now.")}
        </p>
        <div className="-mx-2 mt-2 -mb-2 flex items-center gap-1">
          <button
            type="button"
            disabled={!hydrated || held}
            aria-haspopup="dialog"
            onClick={() => setListing(true)}
            className={`${QUIET} min-w-0 grow justify-start`}
          >
            <Icon name="chat" className="size-4.5" />
            <span className="sr-only">{t("Conversations:")} </span>
            <span className="min-w-0 truncate">{talk.id ? titleOf(talk.title, t) : t("New conversation")}</span>
            <Icon name="chevron" className="size-4" />
          </button>
          <button
            type="button"
            disabled={!hydrated || held}
            aria-label={t("New conversation")}
            title={t("New conversation")}
            onClick={() => {
              show(undefined);
              field.current?.focus();
            }}
            className={QUIET}
          >
            <Icon name="plus" className="size-4.5" />
            {t("New")}
          </button>
        </div>
        <div role="alert">{problem ? <p className="mt-3 text-sm text-danger">{t(problem)}</p> : null}</div>
      </div>
      {listing ? (
        <Conversations
          current={talk.id}
          onClose={() => setListing(false)}
          onOpen={(id) => id !== talk.id && void open(id)}
          onRenamed={({ id, title }) => setTalk((now) => (now.id === id ? { ...now, title } : now))}
          onDeleted={(id) => id === talk.id && show(undefined)}
        />
      ) : null}

      {/* Reversed, so that the newest message is in view from the first paint. */}
      <div
        ref={scroller}
        role="region"
        aria-label={t("Messages")}
        tabIndex={0}
        className="scroll-quiet flex min-h-0 grow flex-col-reverse overflow-y-auto"
      >
        <div className="flex min-h-full shrink-0 flex-col gap-3 p-5">
          {talk.earlier ? null : (
            <Spoken role="assistant">{t("Hello. Tell me what to put on your list, what is done, or what can go.")}</Spoken>
          )}
          {talk.earlier ? (
            <button
              type="button"
              disabled={!hydrated || reading}
              onClick={() => void readEarlier()}
              // what was read stays where it is, not the button
              className="h-10 [overflow-anchor:none] self-center rounded-xl border border-line-strong bg-surface px-4 text-sm font-medium hover:border-pine hover:text-pine"
            >
              {t("Earlier messages")}
            </button>
          ) : null}
          {older.length > 0 ? (
            <ol aria-label={t("Earlier messages")} className="flex flex-col gap-3">
              {older.map(row)}
            </ol>
          ) : null}
          {unreadable ? (
            <p role="status" className="text-sm text-muted">
              {t("What was said before cannot be read right now. Your list is complete.")}
            </p>
          ) : null}
          <div key={talk.opened} role="log" aria-live="polite" aria-label={t("Conversation")}>
            <ol className="flex flex-col gap-3">
              {bubbles.map(row)}
            </ol>
          </div>
          {question && !waiting ? (
            <div role="group" aria-label={t("Confirmation")} className="flex flex-wrap gap-2 self-start pl-8.5">
              <ul className="w-full list-disc pl-5 wrap-anywhere">
                {question.todos.slice(0, SHOWN).map((todo) => (
                  <li key={todo.id}>{todo.title}</li>
                ))}
                {question.todos.length > SHOWN ? <li>{t("and {n} more", { n: question.todos.length - SHOWN })}</li> : null}
              </ul>
              <button
                type="button"
                onClick={() => void confirm(question)}
                className="h-10 rounded-xl bg-danger-soft px-4 font-medium text-danger hover:underline"
              >
                {question.todos.length === 1 ? t("Delete 1 todo") : t("Delete {n} todos", { n: question.todos.length })}
              </button>
              <button
                type="button"
                onClick={() => void keep(question)}
                className="h-10 rounded-xl border border-line-strong bg-surface px-4 font-medium hover:border-pine"
              >
                {question.todos.length === 1 ? t("Keep it") : t("Keep them")}
              </button>
            </div>
          ) : null}
          {confirming ? <Thinking /> : null}
          {live ? <Answering live={live} plain={serving?.assistant === BUILT_IN} /> : null}
        </div>
      </div>

      <div className="shrink-0 border-t border-line bg-sunken p-3">
        <ul aria-label={t("Suggestions")} className="scroll-quiet -m-1 mb-1.5 flex gap-2 overflow-x-auto mask-r-from-92% p-1 pr-8 pb-1.5">
          {SUGGESTIONS.map((suggestion) => (
            <li key={suggestion} className="shrink-0">
              <button
                type="button"
                onClick={() => {
                  type(t(suggestion));
                  field.current?.focus();
                }}
                className="h-8 rounded-full border border-line bg-surface px-3 text-sm whitespace-nowrap hover:border-pine hover:text-pine"
              >
                {t(suggestion)}
              </button>
            </li>
          ))}
        </ul>
        <p id="message-problem" role="status" className="px-2 text-sm text-danger">
          {tooLong ? <span className="mb-1.5 block">{t("Too long: at most {n} characters.", { n: MESSAGE_MAX })}</span> : null}
        </p>
        <form
          method="post"
          onSubmit={submit}
          className="bubble-right flex items-end border border-line-strong bg-surface p-1.5 pl-4 focus-within:border-pine focus-within:outline-2 focus-within:outline-pine"
        >
          <label htmlFor="message" className="sr-only">
            {t("Message to the assistant")}
          </label>
          <textarea
            ref={field}
            id="message"
            name="message"
            rows={1}
            readOnly={!hydrated}
            aria-invalid={tooLong}
            aria-describedby="message-problem"
            enterKeyHint="send"
            value={draft}
            placeholder={t("Write to the assistant")}
            onChange={(event) => type(event.target.value)}
            onKeyDown={onKeyDown}
            className="scroll-quiet field-sizing-content max-h-32 min-h-10 min-w-0 grow resize-none bg-transparent py-2 text-base outline-none"
          />
          {live ? (
            <button
              key="stop"
              type="button"
              aria-label={t("Stop")}
              disabled={live.stopping}
              // the second click of two on what was the other button is none
              onClick={({ detail }) => detail < 2 && void stop(live)}
              className={ROUND}
            >
              <Icon name="stop" />
            </button>
          ) : (
            <button key="send" type="submit" aria-label={t("Send")} disabled={!hydrated || waiting || tooLong || !message} className={ROUND}>
              <Icon name="send" />
            </button>
          )}
        </form>
      </div>
    </section>
  );
}

/** What was said, as it is read: of a model with its Markdown, of all others as it is. */
function Words({ role, assistant, content }: Pick<Bubble, "role" | "assistant" | "content">) {
  return role === "assistant" && assistant && assistant !== BUILT_IN ? <Prose>{content}</Prose> : content;
}

function Spoken({
  role,
  failed = false,
  children,
}: {
  role: "user" | "assistant";
  failed?: boolean;
  children: React.ReactNode;
}) {
  const { t } = useTexts();
  if (role === "user") {
    const tone = failed ? "border border-danger bg-danger-soft text-ink" : "bg-pine-fill text-on-pine";
    return (
      <div className={`bubble-right ml-10 max-w-full self-end px-4 py-2.5 wrap-anywhere whitespace-pre-wrap ${tone}`}>
        <span className="sr-only">{t("You:")} </span>
        {children}
      </div>
    );
  }
  return (
    <div className="mr-6 flex items-end gap-2.5 self-start">
      <Mark className="mb-0.5 size-6 shrink-0" />
      <div className="bubble-left bg-spoken px-4 py-2.5 wrap-anywhere whitespace-pre-wrap">
        <span className="sr-only">{t("Assistant:")} </span>
        {children}
      </div>
    </div>
  );
}

/** Which assistant answers and why, and who sees what is said here. */
function Explanation({ serving: { assistant, provider, notice } }: { serving: Serving }) {
  const { t } = useTexts();
  if (assistant === BUILT_IN && !notice) {
    return t("Answers by rules, in English and German: no language model is set up here. What you write stays here.");
  }
  return (
    <>
      {notice ? t(notice) : t("Messages and todos go to {provider}.", { provider: provider ?? "" })}{" "}
      <a href="/account#assistant" className="rounded-sm underline underline-offset-4 hover:text-pine">
        {t("Change")}
      </a>
    </>
  );
}

/** An answer as it comes. Nobody is read each word: it is announced once it is whole. */
function Answering({ live: { progress, lost, stopping, problem }, plain }: { live: Live; plain: boolean }) {
  const { t } = useTexts();
  const text = progress.steps
    .map((step) => step.text.trim())
    .filter(Boolean)
    .join("\n\n");
  const doings = progress.steps.flatMap((step) => step.doings);
  const state = lost ? "The connection is lost. Trying again." : stopping ? "Stopping." : "";
  return (
    <div className="flex flex-col">
      {text ? (
        <Spoken role="assistant">
          {plain ? text : <Prose>{text}</Prose>}
        </Spoken>
      ) : (
        <Thinking />
      )}
      {doings.length > 0 ? (
        <ul aria-label={t("What the assistant does")} className="mt-1.5 mr-6 flex flex-col gap-1 pl-8.5 text-sm">
          {doings.map((doing) => (
            <DoingLine key={doing.id} {...doing} />
          ))}
        </ul>
      ) : null}
      <p role="status" className="pl-8.5 text-sm text-muted">
        {state ? <span className="mt-1.5 block">{t(state)}</span> : null}
      </p>
      <p role="alert" className="pl-8.5 text-sm text-danger">
        {problem ? t(problem) : null}
      </p>
    </div>
  );
}

function DoingLine(doing: Doing) {
  const texts = useTexts();
  const { state } = doing;
  return (
    <li className="flex items-start gap-2 text-muted">
      {state === "running" ? (
        <span className="mx-1.25 mt-1.75 size-1.5 shrink-0 animate-think rounded-full bg-marigold" />
      ) : (
        <Icon name={state === "done" ? "check" : "alert"} className={`mt-0.5 size-4 ${state === "done" ? "text-pine" : "text-danger"}`} />
      )}
      <span className="min-w-0 wrap-anywhere">{doingInWords(doing, texts)}</span>
    </li>
  );
}

function Thinking() {
  const { t } = useTexts();
  const dot = "size-1.5 animate-think rounded-full bg-muted";
  return (
    <div className="animate-rise">
      <Spoken role="assistant">
        <span role="status" className="flex h-6 items-center gap-1.5">
          <span className="sr-only">{t("is answering")}</span>
          <span className={dot} />
          <span className={`${dot} [animation-delay:150ms]`} />
          <span className={`${dot} [animation-delay:300ms]`} />
        </span>
      </Spoken>
    </div>
  );
}
