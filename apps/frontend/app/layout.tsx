import type { Metadata, Viewport } from "next";
import { connection } from "next/server";

import { BROWSER_MS } from "@/lib/limits";

import "./globals.css";

export const metadata: Metadata = {
  title: { default: "todochat", template: "%s · todochat" },
  description: "A todo list you can talk to.",
};

export const viewport: Viewport = {
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#edf2ef" },
    { media: "(prefers-color-scheme: dark)", color: "#0c1311" },
  ],
  interactiveWidget: "resizes-content",
};

export default async function RootLayout({ children }: { children: React.ReactNode }) {
  // Every page is rendered for its request: the policy's nonce could not be in a page made at build time.
  await connection();
  return (
    <html lang="en" data-timeout-ms={BROWSER_MS}>
      <body className="min-h-dvh font-sans">{children}</body>
    </html>
  );
}
