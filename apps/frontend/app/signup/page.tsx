import { AuthPage } from "@/components/auth-page";
import { titled } from "@/lib/page";

export const generateMetadata = titled({ title: "Create your account" });

export default function SignupPage() {
  return <AuthPage mode="signup" />;
}
