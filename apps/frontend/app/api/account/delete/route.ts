import { callBackend } from "@/lib/backend";
import { noContent, readJson, signedIn, withCookies } from "@/lib/handler";
import { endedSessionCookies } from "@/lib/session";

export const POST = signedIn(async (request, token) => {
  const { password } = await readJson(request);
  await callBackend("/api/v1/auth/me/delete", { method: "POST", token, body: { password } });
  return withCookies(noContent(), endedSessionCookies(request.headers));
});
