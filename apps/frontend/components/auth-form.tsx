"use client";

import { useRef, useState, type FormEvent } from "react";

import { Icon } from "@/components/icons";
import { useTexts } from "@/components/texts";
import { useHydrated } from "@/components/use-hydrated";
import { loadPage, request, RequestError } from "@/lib/client";
import { emailProblem, PASSWORD_MAX, PASSWORD_MIN, passwordProblem } from "@/lib/rules";

type Mode = "login" | "signup";
type Problems = { email?: string | null; password?: string | null; form?: string | null };

const WORDS = {
  login: {
    title: "Welcome back",
    lead: "Sign in to your list.",
    submit: "Sign in",
    busy: "Signing in…",
    other: "New here?",
    link: "Create an account",
    href: "/signup",
    autoComplete: "current-password",
  },
  signup: {
    title: "Create your account",
    lead: "An address and a password are all it takes.",
    submit: "Create account",
    busy: "Creating your account…",
    other: "Have an account already?",
    link: "Sign in",
    href: "/login",
    autoComplete: "new-password",
  },
} as const;

export const FIELD =
  "h-12 w-full rounded-xl border border-line-strong bg-surface px-4 text-base transition-colors hover:border-pine " +
  "focus:border-pine aria-invalid:border-danger";

/** Returns the problems of what was typed; someone who signs in needs no password rules, only a password. */
function check(mode: Mode, email: string, password: string): Problems {
  const missing = password ? null : "Enter your password.";
  return { email: emailProblem(email), password: mode === "signup" ? passwordProblem(password) : missing };
}

function fromError(mode: Mode, error: unknown): Problems {
  if (!(error instanceof RequestError)) throw error;
  if (error.status === 409) {
    return { email: "There is already an account with this address." };
  }
  // What could not be anyone's password (422) is a wrong one like any other.
  const wrong = mode === "login" && [401, 422].includes(error.status);
  return { form: wrong ? "This address and password do not belong together." : error.message };
}

export function AuthForm({ mode, notice }: { mode: Mode; notice?: string }) {
  const { t } = useTexts();
  const words = WORDS[mode];
  const hydrated = useHydrated();
  const emailInput = useRef<HTMLInputElement>(null);
  const passwordInput = useRef<HTMLInputElement>(null);
  const [problems, setProblems] = useState<Problems>({});
  const [length, setLength] = useState(0);
  const [visible, setVisible] = useState(false);
  const [busy, setBusy] = useState(false);

  function show(found: Problems) {
    setProblems(found);
    if (found.email) emailInput.current?.focus();
    else if (found.password) passwordInput.current?.focus();
  }

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const email = emailInput.current?.value.trim() ?? "";
    const password = passwordInput.current?.value ?? "";
    const found = check(mode, email, password);
    if (found.email || found.password) return show(found);
    setProblems({});
    setBusy(true);
    try {
      const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      await request("POST", `/api/auth/${mode}`, { email, password, time_zone }, { endsOn401: false });
      loadPage("/todos");
    } catch (error) {
      setBusy(false);
      show(fromError(mode, error));
    }
  }

  const longEnough = length >= PASSWORD_MIN;
  return (
    <form method="post" noValidate onSubmit={submit} className="flex w-full max-w-sm flex-col">
      <h1 className="text-3xl font-semibold tracking-tight">{t(words.title)}</h1>
      <p className="mt-2 text-muted">{t(words.lead)}</p>

      <div role="alert" className="mt-6 empty:mt-0">
        {problems.form ? <Note tone="danger">{t(problems.form)}</Note> : null}
      </div>
      {notice && !problems.form ? <Note>{t(notice)}</Note> : null}

      <label htmlFor="email" className="mt-6 mb-1.5 text-sm font-medium">
        {t("E-mail address")}
      </label>
      <input
        ref={emailInput}
        id="email"
        name="email"
        type="email"
        autoComplete="username"
        inputMode="email"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={254}
        aria-invalid={Boolean(problems.email)}
        aria-describedby="email-hint"
        onChange={() => setProblems((now) => ({ ...now, email: null, form: null }))}
        className={FIELD}
      />
      <Hint id="email-hint" problem={problems.email && t(problems.email)} />

      <label htmlFor="password" className="mt-3 mb-1.5 text-sm font-medium">
        {t("Password")}
      </label>
      <div className="relative">
        <input
          ref={passwordInput}
          id="password"
          name="password"
          type={visible ? "text" : "password"}
          autoComplete={words.autoComplete}
          maxLength={PASSWORD_MAX}
          aria-invalid={Boolean(problems.password)}
          aria-describedby="password-hint"
          onChange={(event) => {
            setLength(event.target.value.length);
            setProblems((now) => ({ ...now, password: null, form: null }));
          }}
          className={`${FIELD} pr-18`}
        />
        <button
          type="button"
          aria-pressed={visible}
          aria-controls="password"
          aria-label={visible ? t("Hide password") : t("Show password")}
          onClick={() => setVisible(!visible)}
          className="absolute inset-y-1 right-1 rounded-lg px-3 text-sm font-medium text-pine hover:bg-pine-soft"
        >
          {visible ? t("Hide") : t("Show")}
        </button>
      </div>
      <Hint id="password-hint" problem={problems.password && t(problems.password)}>
        {mode === "signup" ? (
          <span className={`flex items-center gap-1.5 ${longEnough ? "text-pine" : ""}`}>
            <Icon name="check" className={`size-4 ${longEnough ? "" : "opacity-40"}`} />
            {t("At least {n} characters; a few words make a good one", { n: PASSWORD_MIN })}
          </span>
        ) : null}
      </Hint>

      <button
        type="submit"
        disabled={!hydrated || busy}
        aria-busy={busy}
        className="bubble-right mt-4 h-12 bg-pine-fill font-semibold text-on-pine transition-colors hover:bg-pine-deep aria-busy:opacity-75"
      >
        {t(busy ? words.busy : words.submit)}
      </button>
      <p className="mt-6 text-sm text-muted">
        {t(words.other)}{" "}
        <a
          href={words.href}
          className="rounded-sm font-medium text-pine underline decoration-1 underline-offset-4 hover:decoration-2"
        >
          {t(words.link)}
        </a>
      </p>
    </form>
  );
}

/** A line below a field that keeps its height, so that nothing jumps when a problem appears. */
export function Hint({ id, problem, children }: { id: string; problem?: string | null; children?: React.ReactNode }) {
  return (
    <p id={id} aria-live="polite" className="mt-1.5 min-h-5 text-sm leading-5 text-muted">
      {problem ? <span className="text-danger">{problem}</span> : children}
    </p>
  );
}

function Note({ tone = "quiet", children }: { tone?: "quiet" | "danger"; children: React.ReactNode }) {
  const colors = tone === "danger" ? "bg-danger-soft text-danger" : "mt-6 bg-pine-soft text-ink";
  return <p className={`bubble-left px-4 py-3 text-sm ${colors}`}>{children}</p>;
}
