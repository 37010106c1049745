import { callBackend, fetchTodos } from "@/lib/backend";
import { readJson, signedIn, success } from "@/lib/handler";
import type { Todo } from "@/lib/types";

export const GET = signedIn(async (_request, token) => {
  const { todos, more } = await fetchTodos(token);
  const response = success(todos);
  if (more) response.headers.set("x-more", "true");
  return response;
});

export const POST = signedIn(async (request, token) => {
  const { id, title, notes, due, priority } = await readJson(request);
  const body = { id, title, notes, due, priority };
  return success(await callBackend<Todo>("/api/v1/todos", { method: "POST", token, body }), 201);
});
