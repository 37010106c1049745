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

/** The cookie's name, as the server reads it (lib/session.ts): cookies ignore ports by themselves. */
const openCookie = () => `todochat_${window.location.port || "own"}_open`;

/** Keeps which conversation is open, in the page's address and for whoever comes back to the list. */
export function rememberConversation(id: string): void {
  window.history.replaceState(null, "", `/todos?conversation=${id}`);
  document.cookie = `${openCookie()}=${id}; Path=/; SameSite=Lax`;
}

/** Forgets all that is kept in this browser: whoever signs out leaves nothing. */
export function forgetDrafts(): void {
  document.cookie = `${openCookie()}=; Path=/; Max-Age=0`;
  try {
    sessionStorage.clear();
  } catch {
    // it has kept nothing
  }
}
