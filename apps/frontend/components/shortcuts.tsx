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

/** `run` returns false where there is nothing to do it to: the key then means what it means anyway. Held down, only one that `repeats` goes on. */
export type Shortcut = { keys: string[]; does: string; repeats?: boolean; run: (key: string) => false | void };

const NAMES: Record<string, string> = { ArrowDown: "↓", ArrowUp: "↑", Delete: "Del", Backspace: "⌫" };

/** Single keys, where nothing is being written and no dialog is open; `?` shows them, and there they can be switched off. */
export function Shortcuts({ shortcuts }: { shortcuts: Shortcut[] }) {
  const { t } = useTexts();
  const [shown, setShown] = useState(false);
  const [on, setOn] = useState(true);

  const pressed = useEffectEvent((event: KeyboardEvent) => {
    const { target } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (target instanceof HTMLElement && (target.isContentEditable || target.closest("input:not([type=checkbox]), textarea, select, dialog"))) return;
    const shortcut = shortcuts.find(({ keys }) => keys.includes(event.key));
    if (event.key !== "?" && (!shortcut || !areOn())) return;
    if (shortcut) {
      const idle = event.repeat && !shortcut.repeats;
      return idle || shortcut.run(event.key) !== false ? event.preventDefault() : undefined;
    }
    event.preventDefault();
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
        {[...shortcuts, { keys: ["?"], does: "This list" }].map(({ keys, does }) => (
          <div key={does} className="contents">
            <dt className="flex gap-1.5">
              {keys.map((key) => (
                <kbd key={key} className="inline-flex h-8 min-w-8 items-center justify-center rounded-lg border border-line-strong bg-sunken px-2 font-mono text-sm">
                  {t(NAMES[key] ?? key)}
                </kbd>
              ))}
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
