import type { Metadata } from "next";

import { PlainPage } from "@/components/plain-page";
import { Workspace } from "@/components/workspace";
import { BackendError, fetchLatestConversation, fetchServing, fetchTodos, fetchUser } from "@/lib/backend";
import { loadFor } from "@/lib/page";

export const metadata: Metadata = { title: "Your list" };

/** The list is worth showing without these. */
function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  return asked.catch((error: unknown) => {
    if (!(error instanceof BackendError) || error.status === 401) throw error;
    return undefined;
  });
}

async function load(token: string) {
  const [user, list, conversation, serving] = await Promise.all([
    fetchUser(token),
    fetchTodos(token),
    ifThere(fetchLatestConversation(token)),
    ifThere(fetchServing(token)),
  ]);
  return { user, ...list, conversation, serving };
}

export default async function TodosPage({ searchParams }: { searchParams: Promise<{ away?: string }> }) {
  const loaded = await loadFor("/todos", "away" in (await searchParams), load);
  if (loaded instanceof BackendError) {
    return <PlainPage title="Your list is out of reach" text={loaded.message} href="/todos" action="Try again" />;
  }
  const { user, todos, more, conversation, serving } = loaded;
  return (
    <Workspace user={user} initialTodos={todos} initialMore={more} initialConversation={conversation} initialServing={serving} />
  );
}
