/** Keeps what was typed while its writer signs in again, or loads the page anew; it is in this tab alone, and for the same user. */
const keyOf = (user: string, field: string) => `todochat-draft-${user}-${field}`;

export function keepDraft(user: string, field: string, text: string): void {
  try {
    if (text) sessionStorage.setItem(keyOf(user, field), text);
    else sessionStorage.removeItem(keyOf(user, field));
  } catch {
    // a browser that keeps nothing
  }
}

export function readDraft(user: string, field: string): string {
  try {
    return sessionStorage.getItem(keyOf(user, field)) ?? "";
  } catch {
    return "";
  }
}

/** Returns what was kept, once. */
export function takeDraft(user: string, field: string): string {
  const text = readDraft(user, field);
  keepDraft(user, field, "");
  return text;
}

/** Sets a cookie under the name by which the server reads it (lib/session.ts): cookies ignore ports by themselves. */
function setCookie(kind: "open" | "theme" | "language", value: string, maxAge?: number): void {
  const lasts = maxAge === undefined ? "" : `; Max-Age=${maxAge}`;
  document.cookie = `todochat_${window.location.port || "own"}_${kind}=${value}; Path=/; SameSite=Lax${lasts}`;
}

const YEAR_SECONDS = 365 * 24 * 60 * 60;

/** Keeps in this browser how the page is to look, or in which language it speaks; nothing: as the browser has it. */
export function choose(kind: "theme" | "language", value: string): void {
  setCookie(kind, value, value ? YEAR_SECONDS : 0);
}

/** Keeps in the page's address what a reload is to show; what is empty is not said. */
export function remember(values: Record<string, string>): void {
  const address = new URL(window.location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  if (address.href === window.location.href) return;
  try {
    window.history.replaceState(null, "", address);
  } catch {
    // browsers allow a number of these in a while, which fast writers in the search pass; the next one says it all
  }
}

/** Keeps which conversation is open, in the page's address and for whoever comes back to the list. */
export function rememberConversation(id: string): void {
  remember({ conversation: id });
  setCookie("open", id);
}

/** Forgets all that is kept in this browser: whoever signs out leaves nothing. */
export function forgetDrafts(): void {
  setCookie("open", "", 0);
  try {
    sessionStorage.clear();
  } catch {
    // it has kept nothing
  }
}
