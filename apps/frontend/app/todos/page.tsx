import type { Metadata } from "next";
import { cookies } from "next/headers";
import { redirect } from "next/navigation";

import { PlainPage } from "@/components/plain-page";
import { Workspace } from "@/components/workspace";
import { BackendError, fetchLatestConversation, fetchTodos, fetchUser } from "@/lib/backend";
import { SESSION_COOKIE } from "@/lib/session";

export const metadata: Metadata = { title: "Your list" };

async function load(token: string) {
  try {
    const [user, todos, conversation] = await Promise.all([
      fetchUser(token),
      fetchTodos(token),
      fetchLatestConversation(token),
    ]);
    return { user, todos, conversation };
  } catch (error) {
    if (error instanceof BackendError) return error;
    throw error;
  }
}

export default async function TodosPage() {
  const token = (await cookies()).get(SESSION_COOKIE)?.value;
  if (!token) redirect("/login");
  const loaded = await load(token);
  if (!(loaded instanceof BackendError)) {
    return <Workspace user={loaded.user} initialTodos={loaded.todos} initialConversation={loaded.conversation} />;
  }
  if (loaded.status === 401) redirect("/login?reason=expired");
  return <PlainPage title="Your list is out of reach" text={loaded.message} href="/todos" action="Try again" />;
}
