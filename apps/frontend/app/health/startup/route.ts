import { backendUrl } from "@/lib/backend";
import { publicUrl } from "@/lib/origin";
import { fetchFromPeers } from "@/lib/statics";

export const dynamic = "force-dynamic";

let fetched: Promise<void> | undefined;

/** A pod that does not know its backend must never take the place of one that does, nor one that has not what the others' pages need. */
export async function GET(): Promise<Response> {
  try {
    backendUrl();
    publicUrl();
  } catch (error) {
    return Response.json({ status: "error", detail: (error as Error).message }, { status: 503 });
  }
  await (fetched ??= fetchFromPeers());
  return Response.json({ status: "ok" });
}
