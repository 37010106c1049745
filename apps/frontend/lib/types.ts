/** What the backend's API returns; ids are UUIDs, times are ISO 8601. */
export type User = { id: string; email: string; time_zone?: string; model_allowed?: boolean };

export type Todo = {
  id: string;
  title: string;
  /** The same in the list, in the chat and for the assistant. */
  number?: number;
  /** Another one after each change. */
  version?: number;
  notes?: string;
  /** A day (2026-03-12), or a day with a time (2026-03-12T18:00) on the clocks of due_time_zone. */
  due?: string | null;
  due_time_zone?: string | null;
  priority?: "low" | "medium" | "high" | null;
  completed: boolean;
  created_at: string;
  completed_at: string | null;
};

/** How many todos somebody has. */
export type Counts = { open: number; done: number };

/** What may become a todo; the id makes it one, however often it is accepted. */
export type Proposal = Pick<Todo, "id" | "title"> & { notes: string; due: string | null; priority: Todo["priority"] };

/** Who answers in the chat: "rule-based", or the name of a model. */
export type Assistant = string;

/** Who would answer now, the host that messages and todos go to for it, and why it is not the model where there is one. */
export type Serving = { assistant: Assistant; provider?: string | null; notice?: string | null };

/** An answer has with it who gave it, why it was not the model, what it changed, and what it asks still. */
export type Message = {
  role: "user" | "assistant";
  content: string;
  created_at: string;
  assistant?: Assistant | null;
  notice?: string | null;
  changes?: Change[];
  confirmation?: Confirmation | null;
};

export type ConversationSummary = { id: string; title: string | null; created_at: string };

export type Conversation = {
  id: string;
  title?: string | null;
  messages: Message[];
  /** A message whose answer is under way: sent again, with its id, it is followed. */
  at_work?: { id: string; message: string } | null;
  /** Where the messages before these end; null where there are none. */
  earlier?: number | null;
};

/** Todos that are deleted only once that is confirmed. */
export type Confirmation = { id: string; todos: Todo[] };

/** A row of the history; before and after are the todo's fields. */
export type Change = {
  id: number;
  kind: string;
  todo_id: string;
  before: Partial<Todo> | null;
  after: Partial<Todo> | null;
  created_at?: string;
  undone_at?: string | null;
  /** Why it cannot be taken back, where it cannot. */
  obstacle?: string | null;
} & Partial<Who>;

/** Who changed something: an outside client by its token's name, a model by its own. */
export type Who = { actor: string; actor_name: string | null };

/** Somebody who changed something in the last 30 days: the last change, and how many of today's stand. */
export type Actor = Who & { last: number; today: number };

/** What came of taking back somebody's changes of today; with `before`, there are more. */
export type TakenBack = { undone: number[]; refused: Change[]; before: number | null };

export type ChatAnswer = {
  conversation_id: string;
  reply: string;
  assistant: Assistant;
  changes?: Change[];
  /** Why the built-in assistant answered although there is a model. */
  notice?: string | null;
  confirmation?: Confirmation | null;
};

export type Session = {
  access_token: string;
  expires_in: number;
  user: User;
  /** None for the second of two who refresh at once. */
  refresh_token?: string | null;
  refresh_expires_in?: number | null;
  /** What this browser is known by at the next log-in. */
  browser?: string | null;
};

/** What an outside client asks with in somebody's name; the token itself is shown once. */
export type AccessToken = {
  id: string;
  name: string;
  scope: "read" | "write";
  created_at: string;
  used_at: string | null;
  expires_at: string | null;
};

/** Where somebody is signed in. */
export type SignIn = { id: string; user_agent: string; created_at: string; used_at: string; current: boolean };
