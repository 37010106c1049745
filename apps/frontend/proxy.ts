import { randomBytes } from "node:crypto";
import { NextResponse, type NextRequest } from "next/server";

import { isOwn, ofAnotherBuild } from "@/lib/statics";

const STATIC = "/_next/static/";
const isDevelopment = process.env.NODE_ENV === "development";

/** Answers what a page of another build asks for; all else of that kind is Next.js's to answer. */
async function fileOf(name: string): Promise<Response> {
  return ((await isOwn(name)) ? undefined : await ofAnotherBuild(name)) ?? NextResponse.next();
}

/**
 * Gives each page its Content-Security-Policy. Only scripts that carry this answer's nonce run, which Next.js reads
 * from the request's own header. No `upgrade-insecure-requests`: the application also lives on plain http.
 * Nothing is authorized here; every handler and the backend do that themselves.
 */
export async function proxy(request: NextRequest): Promise<Response> {
  const { pathname } = request.nextUrl;
  if (pathname.startsWith(STATIC)) return fileOf(pathname.slice(STATIC.length));
  const nonce = randomBytes(16).toString("base64");
  const policy = [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${isDevelopment ? " 'unsafe-eval'" : ""}`,
    `style-src 'self'${isDevelopment ? " 'unsafe-inline'" : ""}`,
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
  const headers = new Headers(request.headers);
  headers.set("content-security-policy", policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy);
  return response;
}

export const config = { matcher: "/((?!api/|health/|mcp$|icon.svg).*)" };
