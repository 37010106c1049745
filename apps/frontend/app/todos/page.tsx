import { PlainPage } from "@/components/plain-page";
import { Workspace } from "@/components/workspace";
import { BackendError, fetchConversation, fetchLatestConversation, fetchServing, fetchTodos, fetchUser } from "@/lib/backend";
import { asked as addressOf, EVERYTHING, listingOf, type Listing } from "@/lib/listing";
import { lastOpen, loadFor, titled } from "@/lib/page";

export const generateMetadata = titled({ title: "Your list" });

/** The list is worth showing without these. */
function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  return asked.catch((error: unknown) => {
    if (!(error instanceof BackendError) || error.status === 401) throw error;
    return undefined;
  });
}

const CONVERSATION = /^(new|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Returns the conversation that the address names: the last one where it names none, or one that is gone; null for a new one. */
async function fetchNamed(token: string, named: string | undefined) {
  if (named === "new") return null;
  if (!named) return fetchLatestConversation(token);
  return fetchConversation(token, named).catch((error: unknown) => {
    if (!(error instanceof BackendError) || error.status !== 404) throw error;
    return fetchLatestConversation(token);
  });
}

/** Returns the todos of a listing; of one that cannot be had, such as too many words to look for, all of them. */
async function fetchListed(token: string, listing: Listing) {
  try {
    return { listing, list: await fetchTodos(token, listing) };
  } catch (error) {
    if (!(error instanceof BackendError) || error.status !== 422) throw error;
    return { listing: EVERYTHING, list: await fetchTodos(token, EVERYTHING) };
  }
}

async function load(token: string, named: string | undefined, listing: Listing) {
  const [user, listed, conversation, serving] = await Promise.all([
    fetchUser(token),
    fetchListed(token, listing),
    ifThere(fetchNamed(token, named)),
    ifThere(fetchServing(token)),
  ]);
  return { user, ...listed, conversation, serving };
}

type Asked = Record<string, string | string[] | undefined>;

export default async function TodosPage({ searchParams }: { searchParams: Promise<Asked> }) {
  const { conversation: asked, ...others } = await searchParams;
  const named = [asked, await lastOpen()].find((one): one is string => typeof one === "string" && CONVERSATION.test(one));
  const given = Object.entries(others).filter((one): one is [string, string] => typeof one[1] === "string");
  const wanted = listingOf(new URLSearchParams(given));
  const address = addressOf(wanted);
  if (named) address.set("conversation", named);
  const page = address.size > 0 ? `/todos?${address}` : "/todos";
  const loaded = await loadFor(page, "away" in others, (token) => load(token, named, wanted));
  if (loaded instanceof BackendError) {
    return <PlainPage title="Your list is out of reach" text={loaded.message} href={page} action="Try again" />;
  }
  const { user, listing, list, conversation, serving } = loaded;
  return (
    <Workspace user={user} initialListing={listing} initialList={list} initialConversation={conversation} initialServing={serving} />
  );
}
