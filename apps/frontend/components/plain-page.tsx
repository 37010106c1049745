"use client";

import { Logo } from "@/components/logo";
import { useTexts } from "@/components/texts";

/** A page with one message and one way on; a plain link, so that it works whatever went wrong. */
export function PlainPage({
  title,
  text,
  href = "/",
  action = "Go to your list",
}: {
  title: string;
  text: string;
  href?: string;
  action?: string;
}) {
  const { t } = useTexts();
  return (
    <div className="flex min-h-dvh flex-col px-6 py-6 sm:px-12">
      <header>
        <Logo />
      </header>
      <main className="mx-auto flex max-w-md grow flex-col items-start justify-center pb-24">
        <h1 className="text-3xl font-semibold tracking-tight text-balance">{t(title)}</h1>
        <p className="mt-3 text-muted">{t(text)}</p>
        <a
          href={href}
          className="bubble-right mt-8 inline-flex h-12 items-center bg-pine-fill px-6 font-semibold text-on-pine hover:bg-pine-deep"
        >
          {t(action)}
        </a>
      </main>
    </div>
  );
}
