import type { Language } from "@/lib/texts";
import de from "@/lib/texts/de";

/** A new language is a file like this one's, and its name here. Only the chosen table goes to the browser. */
export const LANGUAGES: Record<string, Language> = { en: { name: "English" }, de };

/** Returns the language that was chosen, else the first that the browser asks for and there is, else English. */
export function languageFor(chosen: string | undefined, accepted: string | null): string {
  if (chosen && Object.hasOwn(LANGUAGES, chosen)) return chosen;
  const asked = (accepted ?? "").split(",").map((one) => {
    const [tag = "", ...parameters] = one.trim().toLowerCase().split(";");
    const q = parameters.map((parameter) => /^\s*q=([\d.]+)\s*$/.exec(parameter)?.[1]).find(Boolean);
    return { language: tag.split("-")[0] ?? "", q: q === undefined ? 1 : Number(q) };
  });
  const best = asked.filter(({ q }) => q > 0).sort((a, b) => b.q - a.q);
  return best.find(({ language }) => Object.hasOwn(LANGUAGES, language))?.language ?? "en";
}
