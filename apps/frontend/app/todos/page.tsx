import type { Metadata } from "next";

import { PlainPage } from "@/components/plain-page";
import { Workspace } from "@/components/workspace";
import { BackendError, fetchLatestConversation, fetchTodos, fetchUser } from "@/lib/backend";
import { loadFor } from "@/lib/page";

export const metadata: Metadata = { title: "Your list" };

async function load(token: string) {
  const [user, todos, conversation] = await Promise.all([
    fetchUser(token),
    fetchTodos(token),
    // The list is worth showing without what was said before.
    fetchLatestConversation(token).catch((error: unknown) => {
      if (!(error instanceof BackendError) || error.status === 401) throw error;
      return undefined;
    }),
  ]);
  return { user, todos, conversation };
}

export default async function TodosPage({ searchParams }: { searchParams: Promise<{ away?: string }> }) {
  const loaded = await loadFor("/todos", "away" in (await searchParams), load);
  if (loaded instanceof BackendError) {
    return <PlainPage title="Your list is out of reach" text={loaded.message} href="/todos" action="Try again" />;
  }
  return <Workspace user={loaded.user} initialTodos={loaded.todos} initialConversation={loaded.conversation} />;
}
