import { callBackend } from "@/lib/backend";
import { idOf, signedIn, success } from "@/lib/handler";
import type { ConversationSummary } from "@/lib/types";

/** The conversations, newest first, those after one where that is given; `x-more` where there are more. */
export const GET = signedIn(async (request, token) => {
  const seen = { more: false };
  const heard = (headers: Headers) => (seen.more = headers.has("link"));
  const after = request.nextUrl.searchParams.get("after");
  const query = after === null ? "" : `&after=${idOf({ id: after }, "conversation")}`;
  const found = await callBackend<ConversationSummary[]>(`/api/v1/chat/conversations?limit=30${query}`, { token, heard });
  const response = success(found);
  if (seen.more) response.headers.set("x-more", "true");
  return response;
});
