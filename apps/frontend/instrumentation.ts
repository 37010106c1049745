/** Next.js calls this once, before the server answers. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === "nodejs") (await import("@/lib/shutdown")).stopGracefully();
}
