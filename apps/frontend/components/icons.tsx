const PATHS = {
  check: "m5 12.5 4.5 4.5L19 7.5",
  chat: "M6 4h12a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-6l-5 4v-4H6a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z",
  chevron: "m6 9.5 6 6 6-6",
  clock: "M12 7v5l3.5 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18",
  close: "m6.5 6.5 11 11m0-11-11 11",
  list: "M9 6.5h11M9 12h11M9 17.5h11M4.5 6.5h.1m-.1 5.5h.1m-.1 5.5h.1",
  pencil: "M4 20h4L19 9a2.8 2.8 0 0 0-4-4L4 16z",
  plus: "M12 5v14M5 12h14",
  search: "m20 20-4.3-4.3M17.5 11a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M6.5 6.5h11v11h-11z",
  trash: "M5 7h14M10 7V4h4v3m-7 0 1 13h8l1-13",
  alert: "M12 7.5v5.5m0 3.5v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18",
} as const;

export function Icon({ name, className = "size-5" }: { name: keyof typeof PATHS; className?: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      className={`shrink-0 ${className}`}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
