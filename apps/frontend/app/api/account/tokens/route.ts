import { callBackend, fetchTokens } from "@/lib/backend";
import { readJson, signedIn, success } from "@/lib/handler";

export const GET = signedIn(async (_request, token) => success(await fetchTokens(token)));

export const POST = signedIn(async (request, token) => {
  const { name, scope, days } = await readJson(request);
  return success(await callBackend("/api/v1/auth/tokens", { method: "POST", token, body: { name, scope, days } }), 201);
});
