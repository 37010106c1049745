export const dynamic = "force-dynamic";

/** The backend is not asked: while it is away these pages still say so, and restarting them would not help. */
export function GET(): Response {
  return Response.json({ status: "ok" });
}
