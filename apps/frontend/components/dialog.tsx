"use client";

import { useEffect, useRef, type ReactNode } from "react";

import { Icon } from "@/components/icons";
import { useTexts } from "@/components/texts";

export const DIALOG_BUTTON = "h-11 rounded-xl px-4 font-semibold";
export const PRIMARY = `${DIALOG_BUTTON} bg-pine-fill text-on-pine hover:bg-pine-deep disabled:opacity-60 aria-busy:opacity-75`;
export const SECONDARY = `${DIALOG_BUTTON} border border-line-strong hover:border-pine`;

/** A dialog over the page, closed by its cross and by Escape. A `tick` that is another one leads the focus to its title. */
export function Dialog({
  id,
  title,
  tick = 0,
  error,
  news,
  footer,
  onClose,
  children,
}: {
  id: string;
  title: string;
  tick?: number;
  error?: string;
  news?: string;
  footer?: ReactNode;
  onClose: () => void;
  children: ReactNode;
}) {
  const { t } = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>("input:not([type=checkbox]), textarea")?.focus(); // it was not to be seen when it was to have it
    return () => {
      // A dialog that is taken out of the page, rather than closed, leaves the focus nowhere.
      if ((document.activeElement ?? document.body) === document.body && opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  useEffect(() => {
    if (tick > 0) heading.current?.focus();
  }, [tick]);

  return (
    <dialog
      ref={dialog}
      aria-labelledby={`${id}-heading`}
      onClose={onClose}
      className="m-auto max-h-[85dvh] w-[min(36rem,calc(100vw-2rem))] flex-col rounded-3xl rounded-bl-lg border border-line bg-surface text-ink shadow-lift backdrop:bg-black/40 open:flex"
    >
      <div className="flex shrink-0 items-center border-b border-line py-2 pr-2 pl-5">
        <h2 id={`${id}-heading`} ref={heading} tabIndex={-1} className="grow text-lg font-semibold outline-none">
          {title}
        </h2>
        <button
          type="button"
          aria-label={t("Close")}
          onClick={() => dialog.current?.close()}
          className="flex size-11 shrink-0 items-center justify-center rounded-lg text-muted hover:bg-paper hover:text-ink"
        >
          <Icon name="close" />
        </button>
      </div>
      <div className="scroll-quiet min-h-0 grow overflow-y-auto px-5 py-4" tabIndex={-1}>
        <div role="alert">{error ? <p className="mb-3 text-sm text-danger">{t(error)}</p> : null}</div>
        <p role="status" className="sr-only">
          {news ? t(news) : null}
        </p>
        {children}
      </div>
      {footer ? <div className="flex shrink-0 flex-wrap gap-3 border-t border-line px-5 py-3">{footer}</div> : null}
    </dialog>
  );
}

/** A row of a choice: ticked, it is taken. */
export function TickedRow({ ticked, onTick, children }: { ticked: boolean; onTick: (ticked: boolean) => void; children: ReactNode }) {
  return (
    <label className="flex min-h-11 min-w-0 grow items-center gap-3">
      <input type="checkbox" checked={ticked} onChange={({ target }) => onTick(target.checked)} className="size-5 shrink-0 accent-pine" />
      <span className="min-w-0">{children}</span>
    </label>
  );
}
