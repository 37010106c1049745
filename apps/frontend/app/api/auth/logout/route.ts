import { noContent, open } from "@/lib/handler";
import { endedSessionCookie, isHttps } from "@/lib/session";

export const POST = open(async (request) => {
  const response = noContent();
  response.headers.set("set-cookie", endedSessionCookie(isHttps(request.headers)));
  return response;
});
