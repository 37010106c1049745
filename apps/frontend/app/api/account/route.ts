import { callBackend } from "@/lib/backend";
import { noContent, readJson, signedIn, success, withCookies } from "@/lib/handler";
import { endedSessionCookies } from "@/lib/session";
import type { User } from "@/lib/types";

export const PATCH = signedIn(async (request, token) => {
  const { model_allowed, time_zone } = await readJson(request);
  const body = { model_allowed, time_zone };
  return success(await callBackend<User>("/api/v1/auth/me", { method: "PATCH", token, body }));
});

/** As pages of the version before ask for it; our own ask at /api/account/delete, with the password. */
export const DELETE = signedIn(async (request, token) => {
  await callBackend("/api/v1/auth/me", { method: "DELETE", token });
  return withCookies(noContent(), endedSessionCookies(request.headers));
});
