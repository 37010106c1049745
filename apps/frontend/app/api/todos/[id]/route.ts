import { callBackend } from "@/lib/backend";
import { idOf, readJson, signedIn, success } from "@/lib/handler";
import type { Todo } from "@/lib/types";

export const PATCH = signedIn(async (request, token, params) => {
  const { title, completed } = await readJson(request);
  const path = `/api/v1/todos/${idOf(params)}`;
  return success(await callBackend<Todo>(path, { method: "PATCH", token, body: { title, completed } }));
});

export const DELETE = signedIn(async (_request, token, params) => {
  const seen: { change?: string | null } = {};
  const heard = (headers: Headers) => (seen.change = headers.get("x-change-id"));
  await callBackend(`/api/v1/todos/${idOf(params)}`, { method: "DELETE", token, heard });
  return success({ change: Number(seen.change) || null });
});
