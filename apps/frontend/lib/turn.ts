import { changeInWords } from "@/lib/changes";
import { loadPage, RequestError } from "@/lib/client";
import { ENGLISH, type Texts } from "@/lib/texts";
import type { Change, ChatAnswer } from "@/lib/types";

/** A message on its way; its id makes it one, however often it is sent. */
export type Said = { id: string; message: string; conversation_id?: string };

/** What the assistant does: words with a place for what it is about, what came of it, or why nothing did. */
export type Doing = {
  id: string;
  state: "running" | "done" | "failed";
  line: string;
  about?: string | number;
  change?: Change;
};

/** What has come of an answer so far. */
export type Progress = { steps: { text: string; doings: Doing[] }[]; answer?: ChatAnswer };

/** A part of the AI SDK's UI message stream, of which the page uses these fields. */
export type Part = {
  type: string;
  delta?: string;
  toolCallId?: string;
  toolName?: string;
  input?: Record<string, unknown>;
  output?: { change?: Change | null };
  errorText?: string;
  data?: unknown;
};

export const NOTHING: Progress = { steps: [] };

const RUNNING: Record<string, string> = {
  add_todo: "Adding {title}",
  list_todos: "Looking at your list",
  find_todos: "Looking for {title}",
  complete_todo: "Ticking off {title}",
  update_todo: "Changing {title}",
  delete_todo: "Deleting {title}",
};

/** Returns what a call of a tool does; of one that this page does not know, its name. */
function begun({ toolCallId = "", toolName = "", input }: Part): Doing {
  const about = input?.title ?? input?.words ?? input?.number;
  const line = (Object.hasOwn(RUNNING, toolName) && RUNNING[toolName]) || toolName.replaceAll("_", " ");
  return { id: toolCallId, line, state: "running", ...(typeof about === "string" || typeof about === "number" ? { about } : {}) };
}

/** Returns what the assistant does, or has done, for people. */
export function doingInWords({ state, line, about = "", change }: Doing, texts: Texts = ENGLISH): string {
  if (change) return changeInWords(change, texts);
  if (state === "failed") return texts.t(line);
  return texts.t(line, { title: typeof about === "number" ? texts.t("number {n}", { n: about }) : about }).trim();
}

/** Returns the progress with one more part of the stream. */
export function grown(now: Progress, part: Part): Progress {
  if (part.type === "data-reply") return { ...now, answer: part.data as ChatAnswer };
  const empty = { text: "", doings: [] };
  const before = now.steps.slice(0, -1);
  const step = now.steps.at(-1) ?? empty;
  const withStep = (changed: Partial<typeof step>) => ({ ...now, steps: [...before, { ...step, ...changed }] });
  const ended = (state: Doing["state"], more: Partial<Doing>) =>
    withStep({ doings: step.doings.map((one) => (one.id === part.toolCallId ? { ...one, state, ...more } : one)) });
  switch (part.type) {
    case "start-step": // after a reset, the step begins anew
      return step.text || step.doings.length > 0 ? { ...now, steps: [...now.steps, empty] } : withStep({});
    case "reset-step":
      return withStep(empty);
    case "text-delta":
      return withStep({ text: step.text + (part.delta ?? "") });
    case "tool-input-available":
      return withStep({ doings: [...step.doings, begun(part)] });
    case "tool-output-available":
      return ended("done", part.output?.change ? { change: part.output.change } : {});
    case "tool-output-error":
      return ended("failed", part.errorText ? { line: part.errorText } : {});
    default:
      return now;
  }
}

/** The stream has broken off, or there was none: to be asked for again. */
class CutError extends Error {}

/** In a row, that brought nothing new. */
const ATTEMPTS = 8;
const pauseMs = (attempt: number) => Math.min(250 * 2 ** attempt, 8000) * (0.5 + Math.random() / 2);

type Follow = {
  /** Told everything that has come so far, upon each part. */
  onProgress: (progress: Progress) => void;
  /** Told each change to the list. */
  onChange: (change: Change) => void;
  /** Told whether the connection is lost for the moment. */
  onLost: (lost: boolean) => void;
  /** Ends it: the page is left. */
  signal: AbortSignal;
  pause?: (attempt: number) => Promise<void>;
};

/**
 * Says something to the assistant and follows its answer until it is whole. A stream that breaks off is gone on with
 * from its last place. Throws RequestError: a refusal, or when the connection does not come back.
 */
export async function follow(said: Said, { onProgress, onChange, onLost, signal, pause = wait }: Follow): Promise<ChatAnswer> {
  let after = "";
  let progress = NOTHING;
  let finished = false;
  const places = new Set<string>();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await pause(attempt - 1);
    if (signal.aborted) break;
    try {
      for await (const { place, part } of stream({ ...said, after }, signal)) {
        onLost(false);
        if (place && !places.has(place)) attempt = 0; // it goes on
        if (place) after = place;
        places.add(place);
        progress = grown(progress, part);
        finished ||= part.type === "finish";
        onProgress(progress);
        if (part.output?.change) onChange(part.output.change);
      }
    } catch (error) {
      if (!(error instanceof CutError)) throw error;
    }
    // Not before the stream ends: for the browser, one that is left just before counts as failed.
    if (finished && progress.answer) return progress.answer;
    onLost(true);
  }
  throw new RequestError("The connection was lost and does not come back. What the assistant did is kept.", 0);
}

const wait = (attempt: number) => new Promise<void>((resolve) => setTimeout(resolve, pauseMs(attempt)));

type Event = { place: string; part: Part };

/** Yields the events of one stream, as they come. Throws CutError, and RequestError for a refusal. */
async function* stream(asked: Said & { after: string }, leaving: AbortSignal): AsyncGenerator<Event> {
  const silence = new AbortController();
  let alarm: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(alarm);
    alarm = setTimeout(() => silence.abort(), Number(document.documentElement.dataset.timeoutMs));
  };
  const cut = () => {
    throw new CutError();
  };
  try {
    heard();
    const response = await fetch("/api/chat/stream", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(asked),
      signal: AbortSignal.any([silence.signal, leaving]),
    }).catch(cut);
    if (!response.ok || !response.body) throw await refusal(response);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read().catch(cut);
      if (done) return;
      heard();
      const events = (rest + value).split("\n\n");
      rest = events.pop() ?? "";
      yield* events.flatMap(read);
    }
  } finally {
    clearTimeout(alarm);
  }
}

/** Returns the event of some lines, none where they are a comment or the end. */
function read(lines: string): Event[] {
  const fields = new Map(lines.split("\n").map((line) => [line.split(":", 1)[0], line.replace(/^[^:]*: ?/, "")]));
  const data = fields.get("data");
  if (data === undefined || data === "[DONE]") return [];
  try {
    return [{ place: fields.get("id") ?? "", part: JSON.parse(data) as Part }];
  } catch {
    throw new CutError(); // half an event, or one that somebody in between has made
  }
}

/** Returns why there is no stream: what may pass is as good as a cut. */
async function refusal(response: Response): Promise<Error> {
  const body: unknown = await response.json().catch(() => null);
  const detail = (body as { detail?: unknown } | null)?.detail;
  if (response.status === 401) loadPage("/login?reason=expired");
  // No sentence: the page is newer than the server that answered.
  if (response.status >= 500 || typeof detail !== "string") return new CutError();
  return new RequestError(detail, response.status);
}
