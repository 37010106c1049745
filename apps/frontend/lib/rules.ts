/** The limits both sides of the form know; the backend has the last word. */
export const PASSWORD_MIN = 8;
export const PASSWORD_MAX = 128;
export const TITLE_MAX = 200;
export const MESSAGE_MAX = 1000;
/** Of notes that are read as todos, at once. */
export const TEXT_MAX = 10_000;
/** Of a todo's notes, and of a date in words. */
export const NOTES_MAX = 5000;
export const DUE_MAX = 100;
/** How many changes are read at once. */
export const CHANGES_MAX = 50;

/** Returns of notes what is read at once, to the end of a line where there is one, or of a word; and what comes after it. */
export function firstPart(text: string, most = TEXT_MAX): [part: string, rest: string] {
  if (text.length <= most) return [text, ""];
  const upTo = (count: number, end: string) => new RegExp(`^[^]{1,${count}}${end}`).exec(text)?.[0];
  const part = upTo(most - 1, "\n") ?? upTo(most - 1, "\\s") ?? upTo(most, "(?![\udc00-\udfff])") ?? text;
  return [part, text.slice(part.length)];
}

/** Returns what is wrong with an e-mail address in the words of the form, or null. */
export function emailProblem(email: string): string | null {
  if (!email) return "Enter your e-mail address.";
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) return "Enter a whole address, like ana@example.org.";
  return null;
}

/** Returns what is wrong with a new password in the words of the form, or null. */
export function passwordProblem(password: string): string | null {
  if (!password) return "Choose a password.";
  if (password.length < PASSWORD_MIN) {
    const missing = PASSWORD_MIN - password.length;
    return `Too short: ${missing} more ${missing === 1 ? "character" : "characters"} needed.`;
  }
  if (password.length > PASSWORD_MAX) return `Too long: at most ${PASSWORD_MAX} characters.`;
  return null;
}
