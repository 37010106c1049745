import { AccountPage } from "@/components/account-page";
import { PlainPage } from "@/components/plain-page";
import { BackendError, fetchServing, fetchSignIns, fetchTokens, fetchUser } from "@/lib/backend";
import { chosenLanguage, chosenTheme, loadFor, titled } from "@/lib/page";
import { LANGUAGES } from "@/lib/texts/languages";

export const generateMetadata = titled({ title: "Your account" });

async function load(token: string) {
  const read = [fetchUser(token), fetchSignIns(token), fetchServing(token), fetchTokens(token)] as const;
  const [user, initialSignIns, initialServing, initialTokens] = await Promise.all(read);
  return { user, initialSignIns, initialServing, initialTokens };
}

export default async function Account({ searchParams }: { searchParams: Promise<{ away?: string }> }) {
  const loaded = await loadFor("/account", "away" in (await searchParams), load);
  if (loaded instanceof BackendError) {
    return <PlainPage title="Your account is out of reach" text={loaded.message} href="/account" action="Try again" />;
  }
  const appearance = { theme: (await chosenTheme()) ?? "", language: (await chosenLanguage()) ?? "" };
  const languages = Object.fromEntries(Object.entries(LANGUAGES).map(([language, { name }]) => [language, name]));
  return <AccountPage {...loaded} appearance={appearance} languages={languages} />;
}
