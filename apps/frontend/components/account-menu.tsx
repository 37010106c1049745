"use client";

import { useState } from "react";

import { Icon } from "@/components/icons";
import { useTexts } from "@/components/texts";
import { loadPage, request, RequestError } from "@/lib/client";
import { forgetDrafts } from "@/lib/draft";

const ITEM = "flex h-10 w-full items-center rounded-xl px-3 text-left text-sm font-medium";

export function AccountMenu({ email }: { email: string }) {
  const { t } = useTexts();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();

  /** Ends the session and leaves; a failure stays on the page. */
  async function leave() {
    setBusy(true);
    setError(undefined);
    try {
      await request("POST", "/api/auth/logout");
      forgetDrafts();
      loadPage("/login");
    } catch (failure) {
      if (!(failure instanceof RequestError)) throw failure;
      setError(failure.message);
      setBusy(false);
    }
  }

  const problem = error ? <p className="mt-3 text-sm text-danger">{t(error)}</p> : null;
  return (
    <>
      <button
        type="button"
        popoverTarget="account-menu"
        aria-label={t("Account")}
        className="flex h-10 items-center gap-2 rounded-xl pr-2 pl-1.5 hover:bg-line/60"
      >
        <span className="flex size-8 items-center justify-center rounded-full rounded-bl-sm bg-pine-fill text-sm font-semibold text-on-pine uppercase">
          {email.charAt(0)}
        </span>
        <Icon name="chevron" className="size-4 text-muted" />
      </button>

      <div
        id="account-menu"
        popover="auto"
        className="fixed inset-auto top-15 right-4 w-72 rounded-2xl border border-line bg-surface p-2 text-ink shadow-lift sm:right-6 lg:right-8"
      >
        <p className="px-3 pt-2 pb-3 text-sm">
          <span className="block text-muted">{t("Signed in as")}</span>
          <span className="block truncate font-medium" title={email}>
            {email}
          </span>
        </p>
        <a href="/account" className={`${ITEM} hover:bg-paper`}>
          {t("Account settings")}
        </a>
        <button
          type="button"
          disabled={busy}
          onClick={() => void leave()}
          className={`${ITEM} hover:bg-paper`}
        >
          {t("Sign out")}
        </button>
        <div role="alert" className="px-3">
          {problem}
        </div>
      </div>
    </>
  );
}
