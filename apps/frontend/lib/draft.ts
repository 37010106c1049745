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

const CONVERSATION = "todochat-conversation";

/** Keeps which conversation is open in this tab, in the page's address too: loaded anew, or come back to, it is open again. */
export function rememberConversation(id: string): void {
  window.history.replaceState(null, "", listAddress(id));
  try {
    sessionStorage.setItem(CONVERSATION, id);
  } catch {
    // a browser that keeps nothing
  }
}

/** Returns the address of the list, beside the conversation that was open. */
export function listAddress(id?: string): string {
  try {
    const open = id ?? sessionStorage.getItem(CONVERSATION);
    return open ? `/todos?conversation=${open}` : "/todos";
  } catch {
    return "/todos";
  }
}

/** Forgets all that is kept: whoever signs out leaves nothing. */
export function forgetDrafts(): void {
  try {
    sessionStorage.clear();
  } catch {
    // it has kept nothing
  }
}
