import { callBackend } from "@/lib/backend";
import { readJson, signedIn, success } from "@/lib/handler";
import type { Proposal } from "@/lib/types";

/** Reads a text as todos, to be chosen from. */
export const POST = signedIn(async (request, token) => {
  const { text } = await readJson(request);
  return success(await callBackend<Proposal[]>("/api/v1/chat/proposals", { method: "POST", token, body: { text }, repeatable: true }));
});
