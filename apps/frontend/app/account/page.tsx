import type { Metadata } from "next";

import { AccountPage } from "@/components/account-page";
import { PlainPage } from "@/components/plain-page";
import { BackendError, fetchServing, fetchSignIns, fetchUser } from "@/lib/backend";
import { loadFor } from "@/lib/page";

export const metadata: Metadata = { title: "Your account" };

async function load(token: string) {
  const [user, signIns, serving] = await Promise.all([fetchUser(token), fetchSignIns(token), fetchServing(token)]);
  return { user, signIns, serving };
}

export default async function Account({ searchParams }: { searchParams: Promise<{ away?: string }> }) {
  const loaded = await loadFor("/account", "away" in (await searchParams), load);
  if (loaded instanceof BackendError) {
    return <PlainPage title="Your account is out of reach" text={loaded.message} href="/account" action="Try again" />;
  }
  return <AccountPage user={loaded.user} initialSignIns={loaded.signIns} initialServing={loaded.serving} />;
}
