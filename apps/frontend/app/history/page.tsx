import { HistoryPage } from "@/components/history-page";
import { PlainPage } from "@/components/plain-page";
import { OnClocksOf } from "@/components/texts";
import { BackendError, fetchActors, fetchChanges, fetchUser } from "@/lib/backend";
import { loadFor, titled } from "@/lib/page";

export const generateMetadata = titled({ title: "History" });

/** A backend of the version before, as there is while it is upgraded, cannot tell. */
const nobody = (error: unknown) => {
  if (error instanceof BackendError && error.status === 404) return [];
  throw error;
};

async function load(token: string) {
  const read = [fetchUser(token), fetchChanges(token), fetchActors(token).catch(nobody)] as const;
  const [user, initialChanges, initialActors] = await Promise.all(read);
  return { user, initialChanges, initialActors };
}

export default async function History({ searchParams }: { searchParams: Promise<{ away?: string }> }) {
  const loaded = await loadFor("/history", "away" in (await searchParams), load);
  if (loaded instanceof BackendError) {
    return <PlainPage title="Your history is out of reach" text={loaded.message} href="/history" action="Try again" />;
  }
  const { user, ...initial } = loaded;
  return (
    <OnClocksOf timeZone={user.time_zone}>
      <HistoryPage {...initial} />
    </OnClocksOf>
  );
}
