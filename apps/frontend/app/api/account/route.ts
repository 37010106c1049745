import { callBackend } from "@/lib/backend";
import { noContent, signedIn } from "@/lib/handler";
import { endedSessionCookie, isHttps } from "@/lib/session";

export const DELETE = signedIn(async (request, token) => {
  await callBackend("/api/v1/auth/me", { method: "DELETE", token });
  const response = noContent();
  response.headers.set("set-cookie", endedSessionCookie(isHttps(request.headers)));
  return response;
});
