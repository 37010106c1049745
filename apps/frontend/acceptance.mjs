/**
 * A real user's way through a running frontend: node acceptance.mjs URL
 *
 * Prints each step that passed. Exit status: 0, or 1 with one line that says which step failed, what it expected and
 * what came. The account is deleted at the end, also after a failure.
 */
import { randomBytes } from "node:crypto";

const REQUEST_MS = 7_000; // eight requests stay under a minute
/** Reserved for checks: whoever cleans up after one that was killed deletes the accounts of this shape. */
const EMAIL = `acceptance+${randomBytes(8).toString("hex")}@todochat.example`;
const TITLE = "buy milk";

const origin = URL.canParse(process.argv[2] ?? "") ? new URL(process.argv[2]).origin : null;
let cookies = new Map();
let isLoggedOut = false;

const oneLine = (said) => String(said).slice(0, 300).split(/\s+/).filter(Boolean).join(" ") || "nothing else";

/** Keeps the cookies of an answer, and forgets those it ends. */
function keepCookies(response) {
  for (const line of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value) cookies.set(name, value);
    else cookies.delete(name);
  }
}

/** Sends one request and returns the answer's JSON, undefined where there is none. Throws an Error of one line. */
async function call(step, expected, method, path, body) {
  const wanted = `${step}: expected ${expected} from ${method} ${origin}${path}, got`;
  let response, content;
  try {
    response = await fetch(origin + path, {
      method,
      headers: {
        origin, // writes must come from the application's own pages
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; "),
        ...(body && { "content-type": "application/json" }),
      },
      body: body && JSON.stringify(body),
      redirect: "manual",
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    content = await response.text();
  } catch (error) {
    throw new Error(`${wanted} no answer: ${oneLine(error.cause ?? error)}`);
  }
  if (response.status !== expected) throw new Error(`${wanted} ${response.status}: ${oneLine(content)}`);
  keepCookies(response);
  let answer;
  try {
    answer = content ? JSON.parse(content) : undefined;
  } catch {
    throw new Error(`${wanted} no JSON: ${oneLine(content)}`);
  }
  console.log(`${step}: passed`);
  return answer;
}

/** Goes the way between sign-up and deletion. */
async function goOn(credentials) {
  const answer = await call("ask the assistant", 200, "POST", "/api/chat", { message: `add ${TITLE}` });
  if (!answer?.reply) throw new Error(`ask the assistant: expected a reply, got ${oneLine(JSON.stringify(answer))}`);
  const todos = await call("list the todos", 200, "GET", "/api/todos");
  if (todos?.length !== 1 || todos[0].title !== TITLE) {
    throw new Error(`list the todos: expected ${TITLE} alone, got ${oneLine(JSON.stringify(todos))}`);
  }
  await call("log out", 204, "POST", "/api/auth/logout");
  isLoggedOut = true;
  // The browser stays known: whoever guesses at the account does not keep it out.
  const left = [...cookies.keys()].filter((name) => !name.endsWith("_browser"));
  if (left.length) throw new Error(`log out: expected no cookie, got ${left}`);
  await call("log in", 201, "POST", "/api/auth/login", credentials);
  isLoggedOut = false;
}

async function travel() {
  await call("live", 200, "GET", "/health/live");
  await call("ready", 200, "GET", "/health/ready");
  const credentials = { email: EMAIL, password: randomBytes(12).toString("base64url") };
  await call("sign up", 201, "POST", "/api/auth/signup", credentials);
  const signedUp = new Map(cookies);
  let failure;
  try {
    await goOn(credentials);
  } catch (error) {
    failure = error;
    cookies = signedUp;
  }
  try {
    // A session that has ended deletes nothing. Why there is no log-in either is told by what failed before.
    if (isLoggedOut) await call("log in again", 201, "POST", "/api/auth/login", credentials).catch(() => undefined);
    await call("delete the account", 204, "DELETE", "/api/account");
  } catch (error) {
    throw failure ? new Error(`${failure.message}; and then ${error.message}`) : error;
  }
  if (failure) throw failure;
}

if (origin === null) {
  console.error("Usage: node acceptance.mjs URL, where URL is the frontend's address, such as http://frontend:3000");
  process.exitCode = 2;
} else {
  try {
    await travel();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
