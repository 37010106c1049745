import { callBackend } from "@/lib/backend";
import { currentTokens, noContent, open, withCookies } from "@/lib/handler";
import { endedSessionCookies, readTokens } from "@/lib/session";

export const POST = open(async (request) => {
  const end = async () => {
    const { token } = await currentTokens(readTokens(request.cookies, request.headers), request.headers);
    if (token) await callBackend("/api/v1/auth/logout", { method: "POST", token });
  };
  // Whatever the backend says, this browser is signed out.
  await end().catch(() => undefined);
  return withCookies(noContent(), endedSessionCookies(request.headers));
});
