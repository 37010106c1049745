import { callBackend } from "@/lib/backend";
import { noContent, open } from "@/lib/handler";
import { endedSessionCookie, isHttps, SESSION_COOKIE } from "@/lib/session";

export const POST = open(async (request) => {
  const token = request.cookies.get(SESSION_COOKIE)?.value;
  // Whatever the backend says, this browser is signed out.
  if (token) await callBackend("/api/v1/auth/logout", { method: "POST", token }).catch(() => undefined);
  const response = noContent();
  response.headers.set("set-cookie", endedSessionCookie(isHttps(request.headers)));
  return response;
});
