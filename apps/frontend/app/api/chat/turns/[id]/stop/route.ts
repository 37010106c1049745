import { callBackend } from "@/lib/backend";
import { idOf, noContent, signedIn } from "@/lib/handler";

export const POST = signedIn(async (_request, token, params) => {
  await callBackend(`/api/v1/chat/turns/${idOf(params)}/stop`, { method: "POST", token });
  return noContent();
});
