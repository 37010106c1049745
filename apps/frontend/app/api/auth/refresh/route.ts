import { BackendError } from "@/lib/backend";
import { open, refreshed, withCookies } from "@/lib/handler";
import { readTokens, sessionCookies } from "@/lib/session";

const PAGES = /^\/(account|history|todos(\?[\w=&%.+*-]{1,2000})?)$/;

/** Where pages send a browser whose access token is over: they cannot set cookies while they are rendered. */
export const GET = open(async (request) => {
  const asked = request.nextUrl.searchParams.get("next") ?? "";
  const next = PAGES.test(asked) ? asked : "/todos";
  // Relative, since only the browser knows under which address it reached us.
  const goTo = (location: string) =>
    new Response(null, { status: 303, headers: { location, "cache-control": "no-store" } });
  const { refresh } = readTokens(request.cookies, request.headers);
  if (!refresh) return goTo("/login?reason=expired");
  try {
    return withCookies(goTo(next), sessionCookies(await refreshed(refresh), request.headers));
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    return goTo(error.status === 401 ? "/login?reason=expired" : `${next}${next.includes("?") ? "&" : "?"}away`);
  }
});
