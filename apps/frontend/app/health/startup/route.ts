import { backendUrl } from "@/lib/backend";
import { publicUrl } from "@/lib/origin";

export const dynamic = "force-dynamic";

/** A pod that does not know its backend must never take the place of one that does. */
export function GET(): Response {
  try {
    backendUrl();
    publicUrl();
  } catch (error) {
    return Response.json({ status: "error", detail: (error as Error).message }, { status: 503 });
  }
  return Response.json({ status: "ok" });
}
