import { fetchChanges } from "@/lib/backend";
import { signedIn, success } from "@/lib/handler";

export const GET = signedIn(async (request, token) => {
  const given = (name: string) => request.nextUrl.searchParams.get(name) ?? undefined;
  return success(await fetchChanges(token, { before: given("before"), actor: given("actor"), actor_name: given("actor_name") }));
});
