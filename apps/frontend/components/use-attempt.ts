"use client";

import { useState } from "react";

import { RequestError } from "@/lib/client";

/** Runs one request, or several, at a time and keeps what to say of it. */
export function useAttempt() {
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<{ error?: string; news?: string }>({});
  async function attempt(work: () => Promise<string>): Promise<boolean> {
    setBusy(true);
    setOutcome({});
    try {
      setOutcome({ news: await work() });
      return true;
    } catch (failure) {
      if (!(failure instanceof RequestError)) throw failure;
      setOutcome({ error: failure.message });
      return false;
    } finally {
      setBusy(false);
    }
  }
  return { busy, outcome, attempt };
}
