import { files } from "@/lib/statics";

export const dynamic = "force-dynamic";

/** What the other pods of this deployment can have of this one. */
export async function GET(): Promise<Response> {
  return Response.json(await files());
}
