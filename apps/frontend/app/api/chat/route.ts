import { callBackend } from "@/lib/backend";
import { readJson, signedIn, success } from "@/lib/handler";
import { BACKEND_MS } from "@/lib/limits";
import type { ChatAnswer } from "@/lib/types";

export const POST = signedIn(async (request, token) => {
  const { id, message, conversation_id } = await readJson(request);
  const body = { id, message, conversation_id };
  return success(await callBackend<ChatAnswer>("/api/v1/chat", { method: "POST", token, body, timeoutMs: BACKEND_MS }));
});
