import { callBackend } from "@/lib/backend";
import { currentTokens, isOver, noContent, open, withCookies } from "@/lib/handler";
import { endedSessionCookies, readTokens, type Tokens } from "@/lib/session";

export const POST = open(async (request) => {
  const given = readTokens(request.cookies, request.headers);
  const end = async (tokens: Tokens) => {
    const { token } = await currentTokens(tokens, request.headers);
    if (token) await callBackend("/api/v1/auth/logout", { method: "POST", token });
  };
  // Whatever the backend says, this browser is signed out.
  await end(given)
    .catch((error: unknown) => (isOver(error) && given.access ? end({ refresh: given.refresh }) : undefined))
    .catch(() => undefined);
  return withCookies(noContent(), endedSessionCookies(request.headers));
});
