import type { Metadata } from "next";

import { AuthPage } from "@/components/auth-page";
import { texts } from "@/lib/page";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await texts()).t("Create your account") });

export default function SignupPage() {
  return <AuthPage mode="signup" />;
}
