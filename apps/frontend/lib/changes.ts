import { dueInWords } from "@/lib/due";
import { ENGLISH, type Texts } from "@/lib/texts";
import type { Change, Todo, Who } from "@/lib/types";

const KINDS: Record<string, string> = {
  add: "Added {title}",
  complete: "Completed {title}",
  reopen: "Reopened {title}",
  delete: "Deleted {title}",
};

/** What an update changed besides the title, field by field. */
const FIELDS: ((before: Partial<Todo>, after: Partial<Todo>, texts: Texts, told: typeof dueInWords) => string | false)[] = [
  ({ due: was }, { due, due_time_zone }, texts, told) =>
    (was ?? null) !== (due ?? null) && (due ? texts.t("due {date}", { date: told({ due, due_time_zone }, texts) }) : texts.t("no date")),
  ({ priority: was }, { priority }, { t }) => (was ?? null) !== (priority ?? null) && t(`${priority ?? "no"} priority`),
  ({ notes: was }, { notes }, { t }) => (was ?? "") !== (notes ?? "") && t(notes ? "notes" : "no notes"),
];

/** Returns what a change did, in words; a date in those of `told`. */
export function changeInWords({ kind, before, after }: Change, texts: Texts = ENGLISH, told = dueInWords): string {
  const { t } = texts;
  const title = after?.title ?? before?.title ?? t("a todo");
  const said = (words: string, more: Record<string, string> = {}) => t(words, { title, ...more });
  if (kind === "undo") return said(!before ? "Brought back {title}" : after ? "Took back a change of {title}" : "Took {title} off again");
  if (kind !== "update" || !before || !after) return said((Object.hasOwn(KINDS, kind) && KINDS[kind]) || "Changed {title}");
  const others = FIELDS.map((inWords) => inWords(before, after, texts, told)).filter(Boolean);
  const fields = others.length > 0 ? `: ${others.join(", ")}` : "";
  const renamed = before.title && before.title !== after.title;
  return (renamed ? said("Renamed {before} to {title}", { before: before.title ?? "" }) : said("Changed {title}")) + fields;
}

export const BUILT_IN = "rule-based";

/** Returns an assistant's name for people. */
export function assistantInWords(assistant: string, { t }: Texts = ENGLISH): string {
  return assistant === BUILT_IN ? t("Built-in assistant") : assistant;
}

/** Returns who changed something, for people. */
export function whoInWords({ actor, actor_name: name }: Partial<Who>, { t }: Texts = ENGLISH): string {
  if (actor === "user") return t("You");
  if (actor === "built-in") return t("Built-in assistant");
  if (actor === "client") return t("Outside client {name}", { name: name ?? "" }).trim();
  return t("Assistant {name}", { name: name ?? "" }).trim();
}
