import { redirect } from "next/navigation";

import { AuthPage } from "@/components/auth-page";
import { maybeSignedIn, titled } from "@/lib/page";

export const generateMetadata = titled({ title: "Sign in" });

const NOTICES: Record<string, string> = {
  expired: "Your session has ended. Sign in again to go on.",
  deleted: "Your account and everything in it has been deleted.",
};

export default async function LoginPage({ searchParams }: { searchParams: Promise<{ reason?: string | string[] }> }) {
  const { reason } = await searchParams;
  // With a reason the session is known to be over, whatever cookie is left.
  if (!reason && (await maybeSignedIn())) redirect("/todos");
  return <AuthPage mode="login" notice={typeof reason === "string" ? NOTICES[reason] : undefined} />;
}
