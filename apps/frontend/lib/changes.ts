import type { Change, Todo, Who } from "@/lib/types";

const KINDS: Record<string, string> = {
  add: "Added",
  update: "Changed",
  complete: "Completed",
  reopen: "Reopened",
  delete: "Deleted",
};

/** What an update changed besides the title, field by field. */
const FIELDS: ((before: Partial<Todo>, after: Partial<Todo>) => string | false)[] = [
  ({ due: was }, { due }) => (was ?? null) !== (due ?? null) && (due ? `due ${due.replace("T", " ")}` : "no date"),
  ({ priority: was }, { priority }) => (was ?? null) !== (priority ?? null) && `${priority ?? "no"} priority`,
  ({ notes: was }, { notes }) => (was ?? "") !== (notes ?? "") && (notes ? "notes" : "no notes"),
];

/** Returns what a change did, in words. */
export function changeInWords({ kind, before, after }: Change): string {
  const title = after?.title ?? before?.title ?? "a todo";
  if (kind === "undo") return !before ? `Brought back ${title}` : after ? `Took back a change of ${title}` : `Took ${title} off again`;
  if (kind !== "update" || !before || !after) return `${(Object.hasOwn(KINDS, kind) && KINDS[kind]) || "Changed"} ${title}`;
  const renamed = before.title && before.title !== after.title;
  const others = FIELDS.map((inWords) => inWords(before, after)).filter(Boolean);
  const told = others.length > 0 ? `: ${others.join(", ")}` : "";
  return renamed ? `Renamed ${before.title} to ${title}${told}` : `Changed ${title}${told}`;
}

export const BUILT_IN = "rule-based";

/** Returns an assistant's name for people. */
export function assistantInWords(assistant: string): string {
  return assistant === BUILT_IN ? "Built-in assistant" : assistant;
}

/** Returns who changed something, for people. */
export function whoInWords({ actor, actor_name: name }: Partial<Who>): string {
  if (actor === "user") return "You";
  if (actor === "built-in") return "Built-in assistant";
  if (actor === "client") return `Outside client ${name ?? ""}`.trim();
  return name ? `Assistant ${name}` : "Assistant";
}
