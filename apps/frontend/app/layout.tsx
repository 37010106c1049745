import type { Metadata, Viewport } from "next";

import { Speaking } from "@/components/texts";
import { BROWSER_MS } from "@/lib/limits";
import { chosenTheme, texts } from "@/lib/page";
import { LANGUAGES } from "@/lib/texts/languages";

import "./globals.css";

const COLORS = { light: "#edf2ef", dark: "#0c1311" };

export async function generateMetadata(): Promise<Metadata> {
  const { t } = await texts();
  return { title: { default: "todochat", template: "%s · todochat" }, description: t("A todo list you can talk to.") };
}

export async function generateViewport(): Promise<Viewport> {
  const theme = await chosenTheme();
  const bySystem = (["light", "dark"] as const).map((one) => ({ media: `(prefers-color-scheme: ${one})`, color: COLORS[one] }));
  return { themeColor: theme ? COLORS[theme] : bySystem, interactiveWidget: "resizes-content" };
}

// What is asked of the request here also has every page rendered for it: the policy's nonce could not be in a page made at build time.
export default async function RootLayout({ children }: { children: React.ReactNode }) {
  const { language } = await texts();
  return (
    <html lang={language} data-theme={await chosenTheme()} data-timeout-ms={BROWSER_MS}>
      <body className="min-h-dvh font-sans">
        <Speaking language={language} table={LANGUAGES[language]?.table}>
          {children}
        </Speaking>
      </body>
    </html>
  );
}
