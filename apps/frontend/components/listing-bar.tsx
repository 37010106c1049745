"use client";

import type { RefObject } from "react";

import { Icon } from "@/components/icons";
import { useTexts } from "@/components/texts";
import { isEverything, EVERYTHING, type Listing } from "@/lib/listing";

const VIEW_NAMES: Record<Listing["view"], string> = { all: "All", today: "Today", overdue: "Overdue", upcoming: "Upcoming", undated: "No date" };
const PRIORITY_NAMES = { "": "Any priority", high: "High priority", medium: "Medium priority", low: "Low priority" };
const SORT_NAMES: Record<Listing["sort"], string> = { "-number": "Newest first", due: "By date", "-priority": "By priority", title: "By title" };
const FIELD = "h-10 rounded-xl border border-line-strong bg-surface px-3 text-sm focus:border-pine focus:outline-2 focus:outline-pine";

const QUIET = "h-9 rounded-lg px-2.5 text-sm font-medium sm:px-3";

/** Which todos are shown, and in which order; and the way to a plan, from wherever one looks. */
export function ListingBar({
  listing,
  disabled,
  search,
  open,
  setOpen,
  onChange,
  onPlan,
}: {
  listing: Listing;
  disabled: boolean;
  search: RefObject<HTMLInputElement | null>;
  /** Whether the fields for search, priority and order are shown. */
  open: boolean;
  setOpen: (open: boolean) => void;
  onChange: (listing: Listing) => void;
  onPlan: () => void;
}) {
  const { t } = useTexts();
  const change = (part: Partial<Listing>) => onChange({ ...listing, ...part });
  const chosen = !isEverything({ ...listing, view: "all" }) || listing.sort !== EVERYTHING.sort;
  const choice = <Value extends string>(label: string, names: Record<Value, string>, value: Value, onChoice: (value: Value) => void) => (
    <select aria-label={t(label)} disabled={disabled} value={value} onChange={({ target }) => onChoice(target.value as Value)} className={FIELD}>
      {Object.entries<string>(names).map(([one, name]) => (
        <option key={one} value={one}>
          {t(name)}
        </option>
      ))}
    </select>
  );
  return (
    <div className="mt-4 shrink-0">
      <div className="flex flex-wrap items-center gap-1">
        <div role="group" aria-label={t("Which todos")} className="contents">
          {Object.entries(VIEW_NAMES).map(([view, name]) => (
            <button
              key={view}
              type="button"
              disabled={disabled}
              aria-pressed={listing.view === view}
              onClick={() => change({ view: view as Listing["view"] })}
              className={`${QUIET} text-muted hover:text-ink aria-pressed:bg-pine-soft aria-pressed:text-ink`}
            >
              {t(name)}
            </button>
          ))}
        </div>
        <div className="ml-auto flex items-center gap-1">
          <button type="button" disabled={disabled} aria-haspopup="dialog" onClick={onPlan} className={`${QUIET} text-pine hover:bg-pine-soft`}>
            {t("Plan my day")}
          </button>
          <button
            type="button"
            disabled={disabled}
            aria-expanded={open}
            aria-controls="listing-fields"
            aria-label={t(chosen ? "Search and sort, in use" : "Search and sort")}
            onClick={() => setOpen(!open)}
            className={`flex size-10 shrink-0 items-center justify-center rounded-lg hover:bg-paper hover:text-ink ${chosen ? "text-pine" : "text-muted"}`}
          >
            <Icon name="search" />
          </button>
        </div>
      </div>
      <form
        id="listing-fields"
        role="search"
        hidden={!open}
        onSubmit={(event) => event.preventDefault()}
        className="mt-2 flex flex-wrap gap-2"
      >
        <input
          ref={search}
          type="search"
          aria-label={t("Search")}
          placeholder={t("Search titles and notes")}
          value={listing.q}
          maxLength={200}
          autoComplete="off"
          readOnly={disabled}
          onChange={({ target }) => change({ q: target.value })}
          className={`${FIELD} min-w-40 grow`}
        />
        {choice("Priority", PRIORITY_NAMES, listing.priority, (priority) => change({ priority }))}
        {choice("Order", SORT_NAMES, listing.sort, (sort) => change({ sort }))}
      </form>
    </div>
  );
}
