import { callBackend } from "@/lib/backend";
import { idOf, readJson, signedIn, success } from "@/lib/handler";
import type { Todo } from "@/lib/types";

export const PATCH = signedIn(async (request, token, params) => {
  const { title, completed, notes, due, priority, version } = await readJson(request);
  const body = { title, completed, notes, due, priority, version };
  return success(await callBackend<Todo>(`/api/v1/todos/${idOf(params)}`, { method: "PATCH", token, body }));
});

export const DELETE = signedIn(async (_request, token, params) => {
  const seen: { change?: string | null } = {};
  const heard = (headers: Headers) => (seen.change = headers.get("x-change-id"));
  await callBackend(`/api/v1/todos/${idOf(params)}`, { method: "DELETE", token, heard });
  return success({ change: Number(seen.change) || null });
});
