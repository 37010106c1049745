import { callBackend } from "@/lib/backend";
import { noContent, readJson, signedIn } from "@/lib/handler";

export const POST = signedIn(async (request, token) => {
  const { password, new_password } = await readJson(request);
  await callBackend("/api/v1/auth/me/password", { method: "POST", token, body: { password, new_password } });
  return noContent();
});
