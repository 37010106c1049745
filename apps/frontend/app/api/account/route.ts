import { callBackend } from "@/lib/backend";
import { noContent, signedIn, withCookies } from "@/lib/handler";
import { endedSessionCookies } from "@/lib/session";

/** As pages of the version before ask for it; our own ask at /api/account/delete, with the password. */
export const DELETE = signedIn(async (request, token) => {
  await callBackend("/api/v1/auth/me", { method: "DELETE", token });
  return withCookies(noContent(), endedSessionCookies(request.headers));
});
