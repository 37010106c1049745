import type { Metadata } from "next";
import { cookies, headers } from "next/headers";
import { redirect } from "next/navigation";

import { BackendError } from "@/lib/backend";
import { log, whereOf, withRequestId } from "@/lib/log";
import { cookieName, readTokens } from "@/lib/session";
import { textsIn, type Texts } from "@/lib/texts";
import { languageFor, LANGUAGES } from "@/lib/texts/languages";

/** Tells whether this browser may be signed in. */
export async function maybeSignedIn(): Promise<boolean> {
  const { access, refresh } = readTokens(await cookies(), await headers());
  return Boolean(access ?? refresh);
}

/** Returns which conversation was open last in this browser, as the page has kept it. */
export async function lastOpen(): Promise<string | undefined> {
  return (await cookies()).get(cookieName("open", await headers()))?.value;
}

/** Returns what gives a page its title, in the language of the page. */
export const titled = ({ title }: { title: string }) => async (): Promise<Metadata> => ({ title: (await texts()).t(title) });

export async function chosenLanguage(): Promise<string | undefined> {
  return (await cookies()).get(cookieName("language", await headers()))?.value;
}

/** Returns the texts of the language in which this browser's pages speak. */
export async function texts(): Promise<Texts> {
  const sent = await headers();
  const language = languageFor(await chosenLanguage(), sent.get("accept-language"));
  return textsIn(language, LANGUAGES[language]?.table);
}

/** Returns how pages look by somebody's choice; undefined: as the system has it. */
export async function chosenTheme(): Promise<"light" | "dark" | undefined> {
  const chosen = (await cookies()).get(cookieName("theme", await headers()))?.value;
  return chosen === "light" || chosen === "dark" ? chosen : undefined;
}

/**
 * Returns what a page of somebody who is signed in shows, or why there is nothing to show.
 *
 * `away` is set where the refresh that the page asked for could not be had; asking again at once would go in circles.
 */
export async function loadFor<T>(page: string, away: boolean, load: (token: string) => Promise<T>): Promise<T | BackendError> {
  const sent = await headers();
  const { access, refresh } = readTokens(await cookies(), sent);
  const [path, query] = page.split("?");
  const renew = `/api/auth/refresh?next=${path}${query ? encodeURIComponent(`?${query}`) : ""}`;
  if (!access && !refresh) redirect("/login");
  const unanswered = new BackendError(503, "The todo service is not answering right now. Try again in a moment.");
  if (!access) {
    if (away) return unanswered;
    redirect(renew);
  }
  const loaded = await withRequestId(sent, () =>
    load(access).catch((error: unknown) => {
      if (error instanceof BackendError) return error;
      log("error", "page failed", { route: page.split("?")[0], ...whereOf(error) });
      return new BackendError(500, "Something went wrong here. Try again in a moment.");
    }),
  );
  if (loaded instanceof BackendError && loaded.status === 401) {
    if (refresh && away) return unanswered;
    redirect(refresh ? renew : "/login?reason=expired");
  }
  return loaded;
}
