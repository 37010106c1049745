import { fetchActors } from "@/lib/backend";
import { signedIn, success } from "@/lib/handler";

export const GET = signedIn(async (_request, token) => success(await fetchActors(token)));
