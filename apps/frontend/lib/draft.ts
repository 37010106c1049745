/** Keeps what was typed while its writer signs in again; it is in this tab alone, and for the same user. */
const keyOf = (user: string, field: string) => `todochat-draft-${user}-${field}`;

export function keepDraft(user: string, field: string, text: string): void {
  try {
    sessionStorage.setItem(keyOf(user, field), text);
  } catch {
    // a browser that keeps nothing
  }
}

/** Returns what was kept, once. */
export function takeDraft(user: string, field: string): string {
  try {
    const text = sessionStorage.getItem(keyOf(user, field)) ?? "";
    sessionStorage.removeItem(keyOf(user, field));
    return text;
  } catch {
    return "";
  }
}
