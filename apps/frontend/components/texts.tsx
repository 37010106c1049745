"use client";

import { createContext, useContext, useMemo, type ReactNode } from "react";

import { ENGLISH, textsIn, type Table, type Texts } from "@/lib/texts";

const Spoken = createContext<Texts>(ENGLISH);

/** Has all below speak a language; its table alone goes to the browser. */
export function Speaking({ language, table, children }: { language: string; table?: Table; children: ReactNode }) {
  const texts = useMemo(() => textsIn(language, table), [language, table]);
  return <Spoken value={texts}>{children}</Spoken>;
}

/** Has all below tell dates on a user's clocks. */
export function OnClocksOf({ timeZone, children }: { timeZone: string | null | undefined; children: ReactNode }) {
  const texts = useTexts();
  const told = useMemo(() => ({ ...texts, timeZone: timeZone ?? undefined }), [texts, timeZone]);
  return <Spoken value={told}>{children}</Spoken>;
}

export const useTexts = () => useContext(Spoken);
