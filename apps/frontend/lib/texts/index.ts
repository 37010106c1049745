/** Of each text as English has it, what another language says. */
export type Table = Record<string, string>;

/** A language, by the name that it has for itself; English, which the texts are written in, needs no table. */
export type Language = { name: string; table?: Table };

type Values = Record<string, string | number>;
/** Says an English text in the language of the page, with values in the places of their `{names}`. */
export type Texts = {
  language: string;
  /** Of the user's account; none: the browser's. */
  timeZone?: string;
  t: (english: string, values?: Values) => string;
};

const filled = (text: string, values: Values) =>
  text.replace(/\{(\w+)\}/g, (place, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : place));

type Pattern = { expression: RegExp; names: string[]; said: string; literal: number };

/** The texts of a table that have places, as whatever a server's sentence has in these. */
function patternsOf(table: Table): Pattern[] {
  return Object.entries(table)
    .filter(([english]) => english.includes("{"))
    .map(([english, said]) => {
      const escaped = english.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
      const names = [...english.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
      return { expression: new RegExp(`^${escaped.join("(.+?)")}$`, "s"), names, said, literal: escaped.join("").length };
    })
    .sort((a, b) => b.literal - a.literal); // “Deleted {title}.” before “Deleted {title}”
}

/** Returns the texts of a language; what its table does not have stays as English has it. */
export function textsIn(language: string, table: Table | undefined): Texts {
  let patterns: Pattern[] | undefined;
  return {
    language,
    t(english, values) {
      if (!table) return filled(english, values ?? {});
      const said = Object.hasOwn(table, english) ? table[english] : undefined;
      if (said !== undefined) return filled(said, values ?? {});
      if (values) return filled(english, values);
      // A sentence of the server's, its values in it already.
      for (const { expression, names, said: wanted } of (patterns ??= patternsOf(table))) {
        const found = expression.exec(english);
        if (found) return filled(wanted, Object.fromEntries(names.map((name, index) => [name, found[index + 1] ?? ""])));
      }
      return english;
    },
  };
}

/** Returns how people of a language write dates: as this browser's user does, where it is theirs. */
export function localeOf(language: string): string {
  const known = typeof navigator === "undefined" ? [] : (navigator.languages ?? []);
  return known.find((one) => one === language || one.startsWith(`${language}-`)) ?? language;
}

export const ENGLISH = textsIn("en", undefined);
