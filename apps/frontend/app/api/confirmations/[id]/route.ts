import { callBackend } from "@/lib/backend";
import { idOf, signedIn, success } from "@/lib/handler";

export const POST = signedIn(async (_request, token, params) =>
  success(await callBackend(`/api/v1/confirmations/${idOf(params)}`, { method: "POST", token })),
);
