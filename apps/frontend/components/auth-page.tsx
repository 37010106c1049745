"use client";

import { AuthForm } from "@/components/auth-form";
import { Icon } from "@/components/icons";
import { Logo } from "@/components/logo";
import { useTexts } from "@/components/texts";

/** Sign-up and sign-in: the form, and beside it, where there is room, what the product does in one glance. */
export function AuthPage({ mode, notice }: { mode: "login" | "signup"; notice?: string }) {
  return (
    <div className="grid min-h-dvh lg:grid-cols-[minmax(28rem,5fr)_7fr]">
      <div className="flex flex-col bg-surface px-6 py-6 sm:px-12">
        <header>
          <Logo />
        </header>
        <main className="mx-auto flex w-full max-w-sm grow flex-col pt-[12vh] pb-10">
          <AuthForm mode={mode} notice={notice} />
        </main>
      </div>
      <aside aria-hidden="true" className="hidden items-center justify-center p-12 lg:flex">
        <Glimpse />
      </aside>
    </div>
  );
}

function Glimpse() {
  const { t } = useTexts();
  return (
    <div className="w-full max-w-md">
      <p className="text-4xl leading-[1.15] font-semibold tracking-tight text-balance">
        {t("Say it once.")}
        <br />
        <span className="text-pine">{t("It is on the list.")}</span>
      </p>
      <div className="mt-12 flex flex-col gap-3">
        <p className="bubble-right self-end bg-pine-fill px-4 py-2.5 text-on-pine">{t("add buy milk")}</p>
        <p className="bubble-left self-start bg-surface px-4 py-2.5 shadow-lift">{t("Done: “buy milk” is on your list.")}</p>
      </div>
      <div className="mt-8 flex flex-col gap-2.5">
        <GlimpseRow title={t("buy milk")} fresh />
        <GlimpseRow title={t("call the plumber")} />
        <GlimpseRow title={t("book the train to Graz")} done />
      </div>
    </div>
  );
}

function GlimpseRow({ title, fresh = false, done = false }: { title: string; fresh?: boolean; done?: boolean }) {
  const row = fresh ? "border-marigold bg-glow" : "border-line bg-surface";
  const box = done ? "border-pine-fill bg-pine-fill text-on-pine" : "border-line-strong";
  return (
    <div className={`flex items-center gap-3.5 rounded-2xl border px-4 py-3 ${row}`}>
      <span className={`flex size-6 items-center justify-center rounded-lg rounded-bl-xs border-2 ${box}`}>
        {done ? <Icon name="check" className="size-4" /> : null}
      </span>
      <span className={done ? "text-muted line-through" : ""}>{title}</span>
    </div>
  );
}
