import { downloadBackend } from "@/lib/backend";
import { signedIn } from "@/lib/handler";

export const GET = signedIn(async (request, token) => {
  const response = await downloadBackend("/api/v1/auth/me/export", { token, signal: request.signal });
  response.headers.set("content-disposition", 'attachment; filename="todochat.json"');
  return response;
});
