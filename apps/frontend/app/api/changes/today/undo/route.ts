import { callBackend } from "@/lib/backend";
import { readJson, signedIn, success } from "@/lib/handler";
import type { TakenBack } from "@/lib/types";

export const POST = signedIn(async (request, token) => {
  const { actor, actor_name, before } = await readJson(request);
  const body = { actor, actor_name, before };
  return success(await callBackend<TakenBack>("/api/v1/changes/today/undo", { method: "POST", token, body }));
});
