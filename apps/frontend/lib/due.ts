import { ENGLISH, localeOf, type Texts } from "@/lib/texts";
import type { Todo } from "@/lib/types";

const DAY_MS = 24 * 60 * 60 * 1000;

type Due = Pick<Todo, "due" | "due_time_zone">;
/** On whose clocks it is today. */
type Clocks = Pick<Texts, "timeZone">;

const here = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Returns the day on a calendar, at its time where it has one, whatever the zone. */
function onTheCalendar(due: string): Date {
  return new Date(due.includes("T") ? due : `${due}T00:00`);
}

/** Returns the format of a zone's clocks; of this browser's, where it does not know the zone. */
function clocksOf(timeZone: string): Intl.DateTimeFormat {
  const format = { dateStyle: "short", timeStyle: "medium" } as const;
  try {
    return new Intl.DateTimeFormat("sv-SE", { ...format, timeZone });
  } catch {
    return new Intl.DateTimeFormat("sv-SE", format);
  }
}

/** Returns the moment in milliseconds at which clocks of this zone show the time. */
function instant(due: string, zone: string): number {
  const shown = Date.parse(`${due}Z`);
  const clocks = clocksOf(zone);
  const ahead = (at: number) => Date.parse(`${clocks.format(at).replace(" ", "T")}Z`) - at;
  return shown - ahead(shown - ahead(shown)); // ahead by as much as then, not as it would be in UTC
}

/** Returns how many days from today on a zone's calendar a date is; 0 is today. */
function daysFromToday(due: string, zone: string, now: Date): number {
  const today = clocksOf(zone).format(now).slice(0, 10);
  return Math.round((Date.parse(due.slice(0, 10)) - Date.parse(today)) / DAY_MS);
}

/**
 * Returns a due date as people say it: "Today", "Tomorrow, 17:00", "Thu, 12 Mar"; with the zone of a time that is not of
 * the user's clocks. Without a zone of the user's these are the browser's.
 */
export function dueInWords(
  { due, due_time_zone: zone }: { due: string; due_time_zone?: string | null },
  { t, language, timeZone = here() }: Texts = ENGLISH,
  now = new Date(),
): string {
  const date = onTheCalendar(due);
  const near = ["Yesterday", "Today", "Tomorrow"][daysFromToday(due, timeZone, now) + 1];
  const locale = localeOf(language);
  const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
  const day = near ? t(near) : date.toLocaleDateString(locale, { weekday: "short", day: "numeric", month: "short", year });
  if (!due.includes("T")) return day;
  const time = date.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
  const elsewhere = zone && instant(due, zone) !== instant(due, timeZone) ? ` (${zone.replaceAll("_", " ")})` : "";
  return `${day}, ${time}${elsewhere}`;
}

/** Returns a due date as a server can tell it, which knows neither the browser's day nor how its user writes dates. */
export const dueAsKept: typeof dueInWords = ({ due }) => due.replace("T", " ");

/** Tells whether a todo's day is today. */
export function isDueToday({ due }: Pick<Todo, "due">, { timeZone = here() }: Clocks = {}, now = new Date()): boolean {
  return Boolean(due) && daysFromToday(due ?? "", timeZone, now) === 0;
}

/** Tells whether an open todo's day, or the time on it, is over. */
export function isOverdue({ due, due_time_zone, completed }: Due & Pick<Todo, "completed">, { timeZone = here() }: Clocks = {}, now = new Date()): boolean {
  if (!due || completed) return false;
  if (due.includes("T")) return instant(due, due_time_zone ?? timeZone) < now.getTime();
  return daysFromToday(due, timeZone, now) < 0;
}
