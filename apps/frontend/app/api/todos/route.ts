import { callBackend, fetchAll, fetchRest, fetchTodos } from "@/lib/backend";
import { readJson, signedIn, success } from "@/lib/handler";
import { announce, listingOf } from "@/lib/listing";
import type { Todo } from "@/lib/types";

/** The todos of a listing, or where `after` is given the rest of it; what there is besides is in headers. */
export const GET = signedIn(async (request, token) => {
  const asked = request.nextUrl.searchParams;
  const [listing, after] = [listingOf(asked), asked.get("after")];
  if (!asked.has("view")) {
    const { todos, after: more } = await fetchAll(token);
    const response = success(todos);
    if (more) response.headers.set("x-more", "true");
    return response;
  }
  const shown = { open: Number(asked.get("open")) || 0, done: Number(asked.get("done")) || 0 };
  const state = asked.get("state") === "done" ? "done" : "open";
  const { todos, ...others } = after ? await fetchRest(token, listing, state, after) : await fetchTodos(token, listing, shown);
  const response = success(todos);
  announce(response.headers, others);
  return response;
});

export const POST = signedIn(async (request, token) => {
  const { id, title, notes, due, priority } = await readJson(request);
  const body = { id, title, notes, due, priority };
  return success(await callBackend<Todo>("/api/v1/todos", { method: "POST", token, body }), 201);
});
