"use client";

import { useRef, useState, type FormEvent } from "react";

import { FIELD, Hint } from "@/components/auth-form";
import { Logo } from "@/components/logo";
import { useTexts } from "@/components/texts";
import { useAttempt } from "@/components/use-attempt";
import { useHydrated } from "@/components/use-hydrated";
import { loadPage, request, RequestError } from "@/lib/client";
import { choose, forgetDrafts } from "@/lib/draft";
import { PASSWORD_MAX, PASSWORD_MIN, passwordProblem } from "@/lib/rules";
import { localeOf, type Texts } from "@/lib/texts";
import type { AccessToken, Serving, SignIn, User } from "@/lib/types";

const TIME = { dateStyle: "medium", timeStyle: "short" } as const;
const QUIET = "inline-flex h-11 items-center rounded-xl border border-line-strong px-4 font-medium hover:border-pine hover:text-pine";

/** Returns a browser's name for people, from what it calls itself. */
function nameOf(agent: string, t: Texts["t"]): string {
  const browser = /Edg|OPR|Firefox|Chrome|Safari/.exec(agent)?.[0];
  const system = /Windows|Android|iPhone|iPad|Mac OS|Linux/.exec(agent)?.[0];
  const known = { Edg: "Edge", OPR: "Opera" }[browser ?? ""] ?? browser;
  if (!known) return agent.slice(0, 60) || t("Unknown browser");
  return system ? t("{browser} on {system}", { browser: known, system: system === "Mac OS" ? "macOS" : system }) : known;
}

type Props = {
  appearance: Chosen;
  /** Each by the name that it has for itself. */
  languages: Record<string, string>;
  user: User;
  initialSignIns: SignIn[];
  initialServing: Serving;
  initialTokens: AccessToken[];
};

export function AccountPage({ appearance, languages, user, initialSignIns, initialServing, initialTokens }: Props) {
  const { t } = useTexts();
  const [signIns, setSignIns] = useState(initialSignIns);
  const readSignIns = async () => setSignIns(await request<SignIn[]>("GET", "/api/account/sessions"));
  return (
    <div className="flex min-h-dvh flex-col px-4 pb-16 sm:px-6">
      <header className="flex h-16 shrink-0 items-center justify-between">
        <Logo />
        <a href="/todos" className={QUIET}>
          {t("Back to your list")}
        </a>
      </header>
      <main className="mx-auto flex w-full max-w-2xl flex-col gap-5 pt-4">
        <div>
          <h1 className="text-3xl font-semibold tracking-tight">{t("Your account")}</h1>
          <p className="mt-2 wrap-anywhere text-muted">{user.email}</p>
        </div>
        <Appearance chosen={appearance} languages={languages} />
        <TimeZone initial={user.time_zone ?? ""} />
        <Assistant allowedAtFirst={user.model_allowed ?? true} initialServing={initialServing} />
        <Tokens initialTokens={initialTokens} />
        <SignIns signIns={signIns} readAgain={readSignIns} />
        <Password email={user.email} onChanged={readSignIns} />
        <Part id="export" title={t("Your data")}>
          <p className="mt-1 text-muted">{t("Todos, changes, conversations and sessions, in one JSON file.")}</p>
          <a href="/api/account/export" download="todochat.json" className={`${QUIET} mt-4`}>
            {t("Download everything")}
          </a>
        </Part>
        <Deletion />
      </main>
    </div>
  );
}

/** What was chosen in this browser; empty for what the browser itself says. */
export type Chosen = { theme: string; language: string };

/** How the page looks, and in which language it speaks, in this browser. */
function Appearance({ chosen, languages }: { chosen: Chosen; languages: Record<string, string> }) {
  const hydrated = useHydrated();
  const { t } = useTexts();
  const themes = { "": t("As the system"), light: t("Light"), dark: t("Dark") };
  const field = (kind: keyof Chosen, label: string, options: Record<string, string>) => (
    <div className="min-w-40 grow">
      <label htmlFor={kind} className="mb-1.5 block text-sm font-medium">
        {label}
      </label>
      <select
        id={kind}
        defaultValue={chosen[kind]}
        disabled={!hydrated}
        onChange={({ target }) => {
          choose(kind, target.value);
          loadPage("/account");
        }}
        className={FIELD}
      >
        {Object.entries(options).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
  return (
    <Part id="appearance" title={t("Appearance")}>
      <p className="mt-1 text-muted">{t("In this browser. A choice loads the page anew.")}</p>
      <div className="mt-3 flex flex-wrap gap-3">
        {field("theme", t("Colours"), themes)}
        {field("language", t("Language"), { "": t("As the browser"), ...languages })}
      </div>
    </Part>
  );
}

/** On whose clocks dates are; the browser knows the zones, and the backend has the last word. */
function TimeZone({ initial }: { initial: string }) {
  const hydrated = useHydrated();
  const { t } = useTexts();
  const { busy, outcome, attempt } = useAttempt();

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const time_zone = String(new FormData(event.currentTarget).get("time_zone")).trim();
    if (!time_zone) return document.getElementById("time-zone")?.focus();
    await attempt(async () => {
      await request<User>("PATCH", "/api/account", { time_zone });
      return "Saved.";
    });
  }

  return (
    <Part id="time-zone-heading" title={t("Time zone")}>
      <form method="post" noValidate onSubmit={submit} className="mt-3 flex max-w-sm flex-col">
        <label htmlFor="time-zone" className="mb-1.5 text-sm font-medium">
          {t("“Today” and “at 5” are on the clocks of")}
        </label>
        <input id="time-zone" name="time_zone" list="time-zones" defaultValue={initial} autoComplete="off" maxLength={100} className={FIELD} />
        <datalist id="time-zones">
          {hydrated ? Intl.supportedValuesOf("timeZone").map((zone) => <option key={zone} value={zone} />) : null}
        </datalist>
        <button type="submit" disabled={!hydrated || busy} aria-busy={busy} className={`${QUIET} mt-3 justify-center`}>
          {t("Save the time zone")}
        </button>
      </form>
      <Outcome {...outcome} />
    </Part>
  );
}

function Part({ id, title, children }: { id: string; title: string; children: React.ReactNode }) {
  return (
    <section aria-labelledby={id} className="rounded-3xl rounded-bl-lg border border-line bg-surface p-5 shadow-lift sm:p-6">
      <h2 id={id} tabIndex={-1} className="text-xl font-semibold tracking-tight outline-none">
        {title}
      </h2>
      {children}
    </section>
  );
}

/** What came of the last request: a failure interrupts, a success waits its turn. */
function Outcome({ error, news }: { error?: string; news?: string }) {
  const { t } = useTexts();
  return (
    <>
      <div role="alert">{error ? <p className="mt-3 text-sm text-danger">{t(error)}</p> : null}</div>
      <div role="status">{news ? <p className="mt-3 text-sm text-pine">{t(news)}</p> : null}</div>
    </>
  );
}

/** Who sees what is said to the assistant, and whether that may be. */
function Assistant({ allowedAtFirst, initialServing }: { allowedAtFirst: boolean; initialServing: Serving }) {
  const { t } = useTexts();
  const hydrated = useHydrated();
  const { busy, outcome, attempt } = useAttempt();
  const [allowed, setAllowed] = useState(allowedAtFirst);
  const [{ assistant, provider, notice }, setServing] = useState(initialServing);

  async function toggle() {
    await attempt(async () => {
      const user = await request<User>("PATCH", "/api/account", { model_allowed: !allowed });
      setAllowed(user.model_allowed ?? true);
      setServing(await request<Serving>("GET", "/api/chat/assistant"));
      return "Saved.";
    });
  }

  const now = provider
    ? t("The language model {assistant} answers. Your messages, and the todos that it looks at, go to {provider}.", { assistant, provider })
    : t(notice ?? "The built-in assistant answers, by rules; there is no language model here. What you write stays here.");
  return (
    <Part id="assistant" title={t("Assistant")}>
      <p className="mt-1 wrap-anywhere text-muted">{now}</p>
      <div className="mt-4 flex items-center gap-3">
        <button
          type="button"
          role="switch"
          aria-checked={allowed}
          aria-labelledby="model-allowed"
          disabled={!hydrated || busy}
          onClick={() => void toggle()}
          className="group flex h-7 w-12 shrink-0 items-center rounded-full bg-line-strong p-1 aria-checked:bg-pine-fill"
        >
          <span className="size-5 rounded-full bg-surface transition-transform group-aria-checked:translate-x-5" />
        </button>
        <span id="model-allowed" className="font-medium">
          {t("A language model may answer")}
        </span>
      </div>
      <Outcome {...outcome} />
    </Part>
  );
}

/** Returns what most MCP clients take, in one line. */
function configurationOf(token: string): string {
  const server = { type: "http", url: `${window.location.origin}/mcp`, headers: { Authorization: `Bearer ${token}` } };
  return JSON.stringify({ mcpServers: { todochat: server } });
}

/** Tokens of outside clients; a new one is shown until the page is left. */
function Tokens({ initialTokens }: { initialTokens: AccessToken[] }) {
  const { t, language } = useTexts();
  const hydrated = useHydrated();
  const form = useRef<HTMLFormElement>(null);
  const { busy, outcome, attempt } = useAttempt();
  const [tokens, setTokens] = useState(initialTokens);
  const [made, setMade] = useState<string | null>(null);
  const readAgain = async () => setTokens(await request<AccessToken[]>("GET", "/api/account/tokens"));
  const day = (time: string) => (hydrated ? new Date(time).toLocaleString(localeOf(language), TIME) : time.slice(0, 10));

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const name = String(given.get("name")).trim();
    if (!name) return document.getElementById("token-name")?.focus();
    setMade(null);
    await attempt(async () => {
      const body = { name, scope: given.get("may_write") ? "write" : "read" };
      setMade((await request<{ token: string }>("POST", "/api/account/tokens", body)).token);
      form.current?.reset();
      await readAgain();
      return "Copy the token now: it is not shown again.";
    });
  }

  async function revoke({ id, name }: AccessToken) {
    document.getElementById("tokens")?.focus(); // the button is about to go
    setMade(null);
    await attempt(async () => {
      await request("DELETE", `/api/account/tokens/${id}`).catch((error: unknown) => {
        if (!(error instanceof RequestError) || error.status !== 404) throw error; // it was revoked already
      });
      await readAgain();
      return `Revoked ${name}.`;
    });
  }

  return (
    <Part id="tokens" title={t("Outside clients")}>
      <p className="mt-1 text-muted">
        {t("Other assistants, such as the one in your editor, work on your list by MCP, with a token of their own.")}
      </p>
      {tokens.length ? (
        <ul className="mt-3 divide-y divide-line">
          {tokens.map((one) => (
            <li key={one.id} className="flex items-center gap-3 py-3">
              <div className="min-w-0 grow">
                <p className="font-medium wrap-anywhere">{one.name}</p>
                <p className="mt-0.5 text-sm text-muted">
                  {one.scope === "write" ? t("Reads and writes") : t("Reads")} ·{" "}
                  {one.used_at ? t("last used {time}", { time: day(one.used_at) }) : t("never used")}
                </p>
              </div>
              <button
                type="button"
                disabled={!hydrated || busy}
                aria-label={t("Revoke {name}", { name: one.name })}
                onClick={() => void revoke(one)}
                className={`${QUIET} shrink-0`}
              >
                {t("Revoke")}
              </button>
            </li>
          ))}
        </ul>
      ) : null}
      <form ref={form} method="post" noValidate onSubmit={submit} className="flex max-w-sm flex-col">
        <label htmlFor="token-name" className="mt-3 mb-1.5 text-sm font-medium">
          {t("Name of the client")}
        </label>
        <input id="token-name" name="name" type="text" autoComplete="off" maxLength={100} className={FIELD} />
        <label className="mt-3 flex min-h-11 items-center gap-3">
          <input type="checkbox" name="may_write" className="size-5 accent-pine" />
          {t("It may also add, change and delete")}
        </label>
        <button type="submit" disabled={!hydrated || busy} aria-busy={busy} className={`${QUIET} mt-2 justify-center`}>
          {t("Make a token")}
        </button>
      </form>
      <Outcome {...outcome} />
      {made ? (
        <dl className="mt-3 rounded-xl border border-line p-4 text-sm">
          <dt className="font-medium">{t("Address")}</dt>
          <dd className="mt-0.5 font-mono wrap-anywhere select-all">{`${window.location.origin}/mcp`}</dd>
          <dt className="mt-3 font-medium">{t("Header")}</dt>
          <dd className="mt-0.5 font-mono wrap-anywhere select-all">{`Authorization: Bearer ${made}`}</dd>
          <dt className="mt-3 font-medium">{t("Or one line for its configuration")}</dt>
          <dd className="mt-0.5 font-mono wrap-anywhere select-all">{configurationOf(made)}</dd>
          {/* Browsers have it where the address is safe: https, or this machine's own. */}
          {"clipboard" in navigator ? (
            <dd>
              <Copy key={made} text={configurationOf(made)} />
            </dd>
          ) : null}
        </dl>
      ) : null}
    </Part>
  );
}

function Copy({ text }: { text: string }) {
  const { t } = useTexts();
  const [copied, setCopied] = useState<boolean>();
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  return (
    <div className="mt-3 flex flex-wrap items-center gap-3">
      <button type="button" onClick={() => void copy()} className={QUIET}>
        {t("Copy the line")}
      </button>
      <span role="status">
        {copied === undefined ? null : t(copied ? "Copied." : "Your browser does not allow it. Select the line and copy it yourself.")}
      </span>
    </div>
  );
}

function SignIns({ signIns, readAgain }: { signIns: SignIn[]; readAgain: () => Promise<void> }) {
  const { t, language } = useTexts();
  const hydrated = useHydrated(); // the time of day, too, only the browser knows
  const { busy, outcome, attempt } = useAttempt();

  async function end({ id, user_agent }: SignIn) {
    document.getElementById("sign-ins")?.focus(); // the button is about to go
    await attempt(async () => {
      await request("DELETE", `/api/account/sessions/${id}`).catch((error: unknown) => {
        if (!(error instanceof RequestError) || error.status !== 404) throw error; // it had ended already
      });
      await readAgain();
      return `Signed out ${nameOf(user_agent, t)}.`;
    });
  }

  return (
    <Part id="sign-ins" title={t("Where you are signed in")}>
      <ul className="mt-3 divide-y divide-line">
        {signIns.map((one) => (
          <li key={one.id} className="flex items-center gap-3 py-3">
            <div className="min-w-0 grow">
              <p className="flex flex-wrap items-center gap-x-2 font-medium wrap-anywhere">
                {nameOf(one.user_agent, t)}
                {one.current ? (
                  <span className="rounded-full bg-pine-soft px-2.5 py-0.5 text-xs font-medium">{t("This browser")}</span>
                ) : null}
              </p>
              <p className="mt-0.5 text-sm text-muted">
                {t("Last used {time}", {
                  time: hydrated ? new Date(one.used_at).toLocaleString(localeOf(language), TIME) : one.used_at.slice(0, 10),
                })}
              </p>
            </div>
            {one.current ? null : (
              <button
                type="button"
                disabled={!hydrated || busy}
                aria-label={t("Sign out {name}", { name: nameOf(one.user_agent, t) })}
                onClick={() => void end(one)}
                className={`${QUIET} shrink-0`}
              >
                {t("Sign out")}
              </button>
            )}
          </li>
        ))}
      </ul>
      <Outcome {...outcome} />
    </Part>
  );
}

function Password({ email, onChanged }: { email: string; onChanged: () => Promise<void> }) {
  const { t } = useTexts();
  const hydrated = useHydrated();
  const form = useRef<HTMLFormElement>(null);
  const { busy, outcome, attempt } = useAttempt();
  const [problem, setProblem] = useState<string | null>(null);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const password = String(given.get("password"));
    const new_password = String(given.get("new_password"));
    const found = passwordProblem(new_password);
    setProblem(found);
    if (found) return document.getElementById("new-password")?.focus();
    await attempt(async () => {
      await request("POST", "/api/account/password", { password, new_password });
      form.current?.reset();
      await onChanged().catch(() => undefined); // the password is changed, whatever the list shows
      return "Your password is changed. All other sessions and all tokens have ended.";
    });
  }

  return (
    <Part id="password-heading" title={t("Password")}>
      <p className="mt-1 text-muted">{t("A new one signs you out everywhere else, outside clients too.")}</p>
      <form ref={form} method="post" noValidate onSubmit={submit} className="mt-2 flex max-w-sm flex-col">
        <input type="email" name="email" autoComplete="username" defaultValue={email} readOnly hidden />
        <PasswordField id="present-password" name="password" label={t("Present password")} autoComplete="current-password" />
        <label htmlFor="new-password" className="mt-3 mb-1.5 text-sm font-medium">
          {t("New password")}
        </label>
        <input
          id="new-password"
          name="new_password"
          type="password"
          autoComplete="new-password"
          maxLength={PASSWORD_MAX}
          aria-invalid={Boolean(problem)}
          aria-describedby="new-password-hint"
          onChange={() => setProblem(null)}
          className={FIELD}
        />
        <Hint id="new-password-hint" problem={problem && t(problem)}>
          {t("At least {n} characters", { n: PASSWORD_MIN })}
        </Hint>
        <button
          type="submit"
          disabled={!hydrated || busy}
          aria-busy={busy}
          className="bubble-right mt-3 h-12 bg-pine-fill font-semibold text-on-pine hover:bg-pine-deep aria-busy:opacity-75"
        >
          {t("Change password")}
        </button>
      </form>
      <Outcome {...outcome} />
    </Part>
  );
}

function PasswordField({ id, name, label, autoComplete }: { id: string; name: string; label: string; autoComplete: string }) {
  return (
    <>
      <label htmlFor={id} className="mt-3 mb-1.5 text-sm font-medium">
        {label}
      </label>
      <input id={id} name={name} type="password" autoComplete={autoComplete} maxLength={PASSWORD_MAX} className={FIELD} />
    </>
  );
}

function Deletion() {
  const { t } = useTexts();
  const hydrated = useHydrated();
  const { busy, outcome, attempt } = useAttempt();

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const password = String(new FormData(event.currentTarget).get("password"));
    if (!password) return document.getElementById("deletion-password")?.focus();
    await attempt(async () => {
      await request("POST", "/api/account/delete", { password });
      forgetDrafts();
      loadPage("/login?reason=deleted");
      return "Your account is deleted.";
    });
  }

  return (
    <Part id="deletion" title={t("Delete your account")}>
      <p className="mt-1 text-muted">{t("Your todos and your conversation with the assistant go with it. This cannot be undone.")}</p>
      <form method="post" noValidate onSubmit={submit} className="flex max-w-sm flex-col">
        <PasswordField id="deletion-password" name="password" label={t("Your password")} autoComplete="current-password" />
        <button
          type="submit"
          disabled={!hydrated || busy}
          className="mt-4 h-12 rounded-xl rounded-br-sm bg-danger px-4 font-semibold text-surface disabled:opacity-75"
        >
          {t("Delete account")}
        </button>
      </form>
      <Outcome {...outcome} />
    </Part>
  );
}
