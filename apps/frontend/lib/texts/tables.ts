import type { Table } from "@/lib/texts";
import de from "@/lib/texts/de";

/** A new language is a file like this one's, a line here, and its name in LANGUAGES. Only the chosen table goes to the browser. */
export const TABLES: Record<string, Table> = { de };
