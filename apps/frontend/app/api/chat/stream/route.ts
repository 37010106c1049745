import { streamBackend } from "@/lib/backend";
import { readJson, signedIn } from "@/lib/handler";

/** Says something to the assistant, or asks for the rest of its answer; one that the browser gives up ends at the backend too. */
export const POST = signedIn(async (request, token) => {
  const { id, message, conversation_id, after } = await readJson(request);
  const body = { id, message, conversation_id, after };
  return streamBackend("/api/v1/chat/stream", { method: "POST", token, body, signal: request.signal, repeatable: typeof id === "string" });
});
