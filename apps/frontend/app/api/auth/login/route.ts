import { sessionStarter } from "@/lib/handler";

export const POST = sessionStarter("/api/v1/auth/login");
