import { callBackend } from "@/lib/backend";
import { idOf, noContent, signedIn } from "@/lib/handler";

export const DELETE = signedIn(async (_request, token, params) => {
  await callBackend(`/api/v1/auth/tokens/${idOf(params)}`, { method: "DELETE", token });
  return noContent();
});
