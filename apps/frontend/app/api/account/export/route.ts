import { callBackend } from "@/lib/backend";
import { signedIn, success } from "@/lib/handler";
import { BACKEND_MS } from "@/lib/limits";

export const GET = signedIn(async (_request, token) => {
  const response = success(await callBackend("/api/v1/auth/me/export", { token, timeoutMs: BACKEND_MS }));
  response.headers.set("content-disposition", 'attachment; filename="todochat.json"');
  return response;
});
