import { callBackend } from "@/lib/backend";
import { idOf, noContent, signedIn, success } from "@/lib/handler";

export const POST = signedIn(async (_request, token, params) =>
  success(await callBackend(`/api/v1/confirmations/${idOf(params)}`, { method: "POST", token })),
);

export const DELETE = signedIn(async (_request, token, params) => {
  await callBackend(`/api/v1/confirmations/${idOf(params)}`, { method: "DELETE", token });
  return noContent();
});
