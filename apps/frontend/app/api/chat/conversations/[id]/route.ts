import { callBackend, fetchConversation } from "@/lib/backend";
import { idOf, noContent, readJson, signedIn, success } from "@/lib/handler";
import type { ConversationSummary } from "@/lib/types";

const NUMBER = /^[0-9]{1,19}$/;

export const GET = signedIn(async (request, token, params) => {
  const before = request.nextUrl.searchParams.get("before") ?? "";
  return success(await fetchConversation(token, idOf(params, "conversation"), NUMBER.test(before) ? before : undefined));
});

export const PATCH = signedIn(async (request, token, params) => {
  const { title } = await readJson(request);
  const path = `/api/v1/chat/conversations/${idOf(params, "conversation")}`;
  return success(await callBackend<ConversationSummary>(path, { method: "PATCH", token, body: { title } }));
});

export const DELETE = signedIn(async (_request, token, params) => {
  await callBackend(`/api/v1/chat/conversations/${idOf(params, "conversation")}`, { method: "DELETE", token });
  return noContent();
});
