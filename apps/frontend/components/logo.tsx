/** The mark: a speech bubble that is a ticked box. */
export function Mark({ className = "size-7" }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true">
      <path
        className="fill-pine-fill"
        d="M10 2h12a8 8 0 0 1 8 8v10a8 8 0 0 1-8 8H4a2 2 0 0 1-2-2V10a8 8 0 0 1 8-8z"
      />
      <path
        className="fill-none stroke-on-pine"
        strokeWidth="3.2"
        strokeLinecap="round"
        strokeLinejoin="round"
        d="m9.8 15.6 4.4 4.4 8.2-9"
      />
    </svg>
  );
}

export function Logo() {
  return (
    <span className="flex items-center gap-2.5 text-lg font-semibold tracking-tight">
      <Mark />
      <span>
        todo<span className="text-pine">chat</span>
      </span>
    </span>
  );
}
