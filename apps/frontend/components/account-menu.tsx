"use client";

import { useRef, useState } from "react";

import { Icon } from "@/components/icons";
import { loadPage, request, RequestError } from "@/lib/client";

const ITEM = "flex h-10 w-full items-center rounded-xl px-3 text-left text-sm font-medium";

export function AccountMenu({ email }: { email: string }) {
  const menu = useRef<HTMLDivElement>(null);
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();

  /** Runs the request that ends the session and leaves for `address`; a failure stays on the page. */
  async function leave(method: "POST" | "DELETE", path: string, address: string) {
    setBusy(true);
    setError(undefined);
    try {
      await request(method, path);
      loadPage(address);
    } catch (failure) {
      if (!(failure instanceof RequestError)) throw failure;
      setError(failure.message);
      setBusy(false);
    }
  }

  function confirmDeletion() {
    menu.current?.hidePopover();
    setError(undefined);
    dialog.current?.showModal();
  }

  const problem = error ? <p className="mt-3 text-sm text-danger">{error}</p> : null;
  return (
    <>
      <button
        type="button"
        popoverTarget="account-menu"
        aria-label="Account"
        className="flex h-10 items-center gap-2 rounded-xl pr-2 pl-1.5 hover:bg-line/60"
      >
        <span className="flex size-8 items-center justify-center rounded-full rounded-bl-sm bg-pine-fill text-sm font-semibold text-on-pine uppercase">
          {email.charAt(0)}
        </span>
        <Icon name="chevron" className="size-4 text-muted" />
      </button>

      <div
        ref={menu}
        id="account-menu"
        popover="auto"
        className="fixed inset-auto top-15 right-4 w-72 rounded-2xl border border-line bg-surface p-2 text-ink shadow-lift sm:right-6 lg:right-8"
      >
        <p className="px-3 pt-2 pb-3 text-sm">
          <span className="block text-muted">Signed in as</span>
          <span className="block truncate font-medium" title={email}>
            {email}
          </span>
        </p>
        <button
          type="button"
          disabled={busy}
          onClick={() => void leave("POST", "/api/auth/logout", "/login")}
          className={`${ITEM} hover:bg-paper`}
        >
          Sign out
        </button>
        <button type="button" onClick={confirmDeletion} className={`${ITEM} text-danger hover:bg-danger-soft`}>
          Delete account…
        </button>
        <div role="alert" className="px-3">
          {problem}
        </div>
      </div>

      <dialog
        ref={dialog}
        aria-labelledby="delete-heading"
        aria-describedby="delete-text"
        className="m-auto w-[min(26rem,calc(100vw-2rem))] rounded-3xl rounded-bl-lg border border-line bg-surface p-6 text-ink shadow-lift backdrop:bg-black/40"
      >
        <h2 id="delete-heading" className="text-xl font-semibold tracking-tight">
          Delete your account?
        </h2>
        <p id="delete-text" className="mt-2 text-muted">
          Your todos and your conversation with the assistant are deleted with it. This cannot be undone.
        </p>
        <div role="alert">{problem}</div>
        <div className="mt-6 flex justify-end gap-3">
          <button
            type="button"
            autoFocus
            onClick={() => dialog.current?.close()}
            className="h-11 rounded-xl border border-line-strong px-4 font-medium hover:bg-paper"
          >
            Keep it
          </button>
          <button
            type="button"
            disabled={busy}
            onClick={() => void leave("DELETE", "/api/account", "/login?reason=deleted")}
            className="h-11 rounded-xl rounded-br-sm bg-danger px-4 font-semibold text-surface disabled:opacity-75"
          >
            Delete account
          </button>
        </div>
      </dialog>
    </>
  );
}
