import type { Todo } from "@/lib/types";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Returns the moment in the browser's time zone; of a day alone its start. */
function moment(due: string): Date {
  return new Date(due.includes("T") ? due : `${due}T00:00`);
}

/** Returns how many days from today a date is; 0 is today. */
function daysFromToday(date: Date, now: Date): number {
  const midnight = (of: Date) => new Date(of.getFullYear(), of.getMonth(), of.getDate()).getTime();
  return Math.round((midnight(date) - midnight(now)) / DAY_MS);
}

/** Returns a due date as people say it: "Today", "Tomorrow, 17:00", "Thu, 12 Mar". */
export function dueInWords(due: string, now = new Date()): string {
  const date = moment(due);
  const near = ["Yesterday", "Today", "Tomorrow"][daysFromToday(date, now) + 1];
  const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
  const day = near ?? date.toLocaleDateString(undefined, { weekday: "short", day: "numeric", month: "short", year });
  if (!due.includes("T")) return day;
  return `${day}, ${date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" })}`;
}

/** Tells whether an open todo's day, or the time on it, is over. */
export function isOverdue({ due, completed }: Pick<Todo, "due" | "completed">, now = new Date()): boolean {
  if (!due || completed) return false;
  return due.includes("T") ? moment(due) < now : daysFromToday(moment(due), now) < 0;
}
