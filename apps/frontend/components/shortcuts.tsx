"use client";

import { useEffect, useEffectEvent, useState } from "react";

import { Dialog } from "@/components/dialog";
import { useTexts } from "@/components/texts";

const KEPT = "todochat-shortcuts";

function areOn(): boolean {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true; // a browser that keeps nothing
  }
}

function keep(on: boolean): void {
  try {
    if (on) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, "off");
  } catch {
    // it is so until the page is left
  }
}

export type Shortcut = { key: string; does: string; run: () => void };

/** Single keys, where nothing is being written and no dialog is open; `?` shows them, and there they can be switched off. */
export function Shortcuts({ shortcuts }: { shortcuts: Shortcut[] }) {
  const { t } = useTexts();
  const [shown, setShown] = useState(false);
  const [on, setOn] = useState(true);

  const pressed = useEffectEvent((event: KeyboardEvent) => {
    const { target } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (target instanceof HTMLElement && (target.isContentEditable || target.closest("input:not([type=checkbox]), textarea, select, dialog"))) return;
    const shortcut = shortcuts.find(({ key }) => key === event.key);
    if (event.key !== "?" && (!shortcut || !areOn())) return;
    event.preventDefault();
    if (shortcut) return shortcut.run();
    setOn(areOn());
    setShown(true);
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => pressed(event);
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, []);

  if (!shown) return null;
  return (
    <Dialog id="shortcuts" title={t("Keyboard shortcuts")} onClose={() => setShown(false)}>
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-2.5">
        {[...shortcuts, { key: "?", does: "This list" }].map(({ key, does }) => (
          <div key={key} className="contents">
            <dt>
              <kbd className="inline-flex h-8 min-w-8 items-center justify-center rounded-lg border border-line-strong bg-sunken px-2 font-mono text-sm">{key}</kbd>
            </dt>
            <dd>{t(does)}</dd>
          </div>
        ))}
      </dl>
      <label className="mt-5 flex min-h-11 items-center gap-3">
        <input
          type="checkbox"
          checked={on}
          onChange={({ target }) => {
            keep(target.checked);
            setOn(target.checked);
          }}
          className="size-5 accent-pine"
        />
        {t("Single keys are shortcuts")}
      </label>
    </Dialog>
  );
}
