"use client";

import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent } from "react";

import { Icon } from "@/components/icons";
import { Mark } from "@/components/logo";
import { useHydrated } from "@/components/use-hydrated";
import { request, RequestError } from "@/lib/client";
import { keepDraft, takeDraft } from "@/lib/draft";
import { newId } from "@/lib/id";
import { MESSAGE_MAX } from "@/lib/rules";
import type { Action, Assistant, ChatAnswer, Conversation, Todo } from "@/lib/types";

/** `problem` is set on a message that did not get through. */
type Bubble = { key: number; id?: string; role: "user" | "assistant"; content: string; problem?: string };
type Question = NonNullable<ChatAnswer["confirmation"]>;

const SUGGESTIONS = ["add buy milk", "show my list", "complete buy milk", "what can you do?"];

const ASSISTANTS: Record<Assistant, { badge: string; explanation: string }> = {
  "rule-based": {
    badge: "Built-in assistant",
    explanation: "Understands everyday requests in English and German, by rules; it uses no language model.",
  },
};

export function ChatPanel({
  className,
  userId,
  initialConversation,
  onAnswer,
}: {
  className: string;
  userId: string;
  /** Undefined where it could not be read. */
  initialConversation: Conversation | null | undefined;
  /** Called after each turn, with what the assistant did to the list. */
  onAnswer: (actions: Action[]) => Promise<void>;
}) {
  const hydrated = useHydrated();
  const scroller = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const [bubbles, setBubbles] = useState<Bubble[]>(
    () => initialConversation?.messages.map(({ role, content }, key) => ({ key, role, content })) ?? [],
  );
  const nextKey = useRef(bubbles.length);
  const conversation = useRef(initialConversation?.id);
  const [draft, setDraft] = useState("");
  const [waiting, setWaiting] = useState(false);
  const [assistant, setAssistant] = useState<Assistant>("rule-based");
  const [question, setQuestion] = useState<Question | null>(null);

  async function send(content: string, id = newId()) {
    const bubble: Bubble = { key: nextKey.current++, id, role: "user", content };
    // A message that failed before is this one, or has been given up for it.
    setBubbles((now) => [...now.filter(({ problem }) => !problem), bubble]);
    setWaiting(true);
    let actions: Action[] = [];
    try {
      const answer = await request<ChatAnswer>("POST", "/api/chat", {
        id, // sent again, it is answered once
        message: content,
        conversation_id: conversation.current,
      });
      conversation.current = answer.conversation_id;
      actions = answer.actions ?? [];
      setAssistant(answer.assistant);
      setQuestion(answer.confirmation ?? null);
      const reply: Bubble = { key: nextKey.current++, role: "assistant", content: answer.reply };
      setBubbles((now) => [...now, reply]);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (error.status === 401) keepDraft(userId, "message", content);
      setBubbles((now) => now.map((item) => (item === bubble ? { ...bubble, problem: error.message } : item)));
    } finally {
      setWaiting(false);
    }
    // Also after a failure: the answer may have been lost when the work was done.
    await onAnswer(actions).catch((error: unknown) => {
      if (!(error instanceof RequestError)) throw error;
    });
  }

  function submit(event?: FormEvent) {
    event?.preventDefault();
    const content = draft.trim();
    if (!content || waiting) return field.current?.focus();
    setDraft("");
    void send(content);
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
    const kept = takeDraft(userId, "message");
    if (kept) setDraft(kept);
  }, [userId]);

  async function confirm({ id }: Question) {
    setQuestion(null);
    setWaiting(true);
    let content: string;
    try {
      const { deleted, left } = await request<{ deleted: Todo[]; left: string[] }>("POST", `/api/confirmations/${id}`);
      content = `Deleted ${deleted.length} ${deleted.length === 1 ? "todo" : "todos"}.`;
      if (left.length > 0) content += ` ${left.length} had changed meanwhile and stayed.`;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      content = error.message;
    }
    setWaiting(false);
    setBubbles((now) => [...now, { key: nextKey.current++, role: "assistant", content }]);
    await onAnswer([]).catch((error: unknown) => {
      if (!(error instanceof RequestError)) throw error;
    });
  }

  // One that this page does not know yet is of a newer version.
  const { badge, explanation } = (Object.hasOwn(ASSISTANTS, assistant) && ASSISTANTS[assistant]) || { badge: "Assistant", explanation: "" };
  return (
    <section
      aria-labelledby="chat-heading"
      className={`flex min-h-0 flex-col overflow-hidden rounded-3xl rounded-bl-lg border border-line bg-surface shadow-lift ${className}`}
    >
      <div className="shrink-0 border-b border-line px-5 py-4">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <h2 id="chat-heading" className="font-semibold">
            Assistant
          </h2>
          <span className="rounded-full bg-pine-soft px-2.5 py-0.5 text-xs font-medium text-ink">{badge}</span>
        </div>
        <p className="mt-1 text-sm text-muted">{explanation}</p>
      </div>

      {/* Reversed, so that the newest message is in view from the first paint. */}
      <div
        ref={scroller}
        role="region"
        aria-label="Messages"
        tabIndex={0}
        className="scroll-quiet flex min-h-0 grow flex-col-reverse overflow-y-auto"
      >
        <div className="flex min-h-full shrink-0 flex-col gap-3 p-5">
          <Spoken role="assistant">
            Hello. Tell me what to put on your list, what is done, or what can go.
          </Spoken>
          {initialConversation === undefined ? (
            <p role="status" className="text-sm text-muted">
              What was said before cannot be read right now. Your list is complete.
            </p>
          ) : null}
          <div role="log" aria-live="polite" aria-busy={waiting} aria-label="Conversation">
            <ol className="flex flex-col gap-3">
              {bubbles.map((bubble) => (
                <li key={bubble.key} className="flex flex-col last:animate-rise">
                  <Spoken role={bubble.role} failed={Boolean(bubble.problem)}>
                    {bubble.content}
                  </Spoken>
                  {bubble.problem ? (
                    <div
                      role="alert"
                      className="mt-1.5 flex flex-wrap items-center justify-end gap-x-3 text-right text-sm text-danger"
                    >
                      <span>No answer. {bubble.problem}</span>
                      <button
                        type="button"
                        onClick={() => void send(bubble.content, bubble.id)}
                        className="rounded-md py-1 font-semibold underline underline-offset-4"
                      >
                        Send again
                      </button>
                    </div>
                  ) : null}
                </li>
              ))}
            </ol>
          </div>
          {question && !waiting ? (
            <div role="group" aria-label="Confirmation" className="flex flex-wrap gap-2 self-start pl-8.5">
              <button
                type="button"
                onClick={() => void confirm(question)}
                className="h-10 rounded-xl bg-danger-soft px-4 font-medium text-danger hover:underline"
              >
                Delete {question.todos.length} {question.todos.length === 1 ? "todo" : "todos"}
              </button>
              <button
                type="button"
                onClick={() => setQuestion(null)}
                className="h-10 rounded-xl border border-line-strong bg-surface px-4 font-medium hover:border-pine"
              >
                Keep {question.todos.length === 1 ? "it" : "them"}
              </button>
            </div>
          ) : null}
          {waiting ? <Thinking /> : null}
        </div>
      </div>

      <div className="shrink-0 border-t border-line bg-sunken p-3">
        <ul aria-label="Suggestions" className="scroll-quiet -m-1 mb-1.5 flex gap-2 overflow-x-auto mask-r-from-92% p-1 pr-8 pb-1.5">
          {SUGGESTIONS.map((suggestion) => (
            <li key={suggestion} className="shrink-0">
              <button
                type="button"
                onClick={() => {
                  setDraft(suggestion);
                  field.current?.focus();
                }}
                className="h-8 rounded-full border border-line bg-surface px-3 text-sm whitespace-nowrap hover:border-pine hover:text-pine"
              >
                {suggestion}
              </button>
            </li>
          ))}
        </ul>
        <form
          method="post"
          onSubmit={submit}
          className="bubble-right flex items-end border border-line-strong bg-surface p-1.5 pl-4 focus-within:border-pine focus-within:outline-2 focus-within:outline-pine"
        >
          <label htmlFor="message" className="sr-only">
            Message to the assistant
          </label>
          <textarea
            ref={field}
            id="message"
            name="message"
            rows={1}
            readOnly={!hydrated}
            maxLength={MESSAGE_MAX}
            enterKeyHint="send"
            value={draft}
            placeholder="Write to the assistant"
            onChange={(event) => setDraft(event.target.value)}
            onKeyDown={onKeyDown}
            className="scroll-quiet field-sizing-content max-h-32 min-h-10 min-w-0 grow resize-none bg-transparent py-2 text-base outline-none"
          />
          <button
            type="submit"
            aria-label="Send"
            disabled={!hydrated || waiting || !draft.trim()}
            className="ml-2 flex size-10 shrink-0 items-center justify-center rounded-xl rounded-br-sm bg-pine-fill text-on-pine hover:bg-pine-deep disabled:bg-line disabled:text-muted"
          >
            <Icon name="send" />
          </button>
        </form>
      </div>
    </section>
  );
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
  if (role === "user") {
    const tone = failed ? "border border-danger bg-danger-soft text-ink" : "bg-pine-fill text-on-pine";
    return (
      <div className={`bubble-right ml-10 max-w-full self-end px-4 py-2.5 wrap-anywhere whitespace-pre-wrap ${tone}`}>
        <span className="sr-only">You: </span>
        {children}
      </div>
    );
  }
  return (
    <div className="mr-6 flex items-end gap-2.5 self-start">
      <Mark className="mb-0.5 size-6 shrink-0" />
      <div className="bubble-left bg-spoken px-4 py-2.5 wrap-anywhere whitespace-pre-wrap">
        <span className="sr-only">Assistant: </span>
        {children}
      </div>
    </div>
  );
}

function Thinking() {
  const dot = "size-1.5 animate-think rounded-full bg-muted";
  return (
    <div className="animate-rise">
      <Spoken role="assistant">
        <span role="status" className="flex h-6 items-center gap-1.5">
          <span className="sr-only">is answering</span>
          <span className={dot} />
          <span className={`${dot} [animation-delay:150ms]`} />
          <span className={`${dot} [animation-delay:300ms]`} />
        </span>
      </Spoken>
    </div>
  );
}
