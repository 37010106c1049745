import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import ts from "typescript";

import { PRIORITIES } from "@/lib/listing";
import { textsIn } from "@/lib/texts";
import { languageFor, LANGUAGES } from "@/lib/texts/languages";

test("the language is the chosen one, else the first that the browser asks for and there is, else English", () => {
  assert.equal(languageFor("de", "en"), "de");
  assert.equal(languageFor("xx", "fr;q=0.9, de-AT;q=0.8, en;q=0.1"), "de");
  assert.equal(languageFor(undefined, "en;q=0.5,de;q=0.7"), "de");
  assert.equal(languageFor(undefined, "de;q=0, en"), "en");
  assert.equal(languageFor("constructor", "fr"), "en");
  assert.equal(languageFor(undefined, null), "en");
});

const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).toSorted();
/** A text with all its places alike. */
const plain = (text: string) => text.replace(/\{\w*\}/g, "{}");

for (const [language, { name, table }] of Object.entries(LANGUAGES)) {
  test(`${language} has a name`, () => assert.match(name, /^\p{L}+$/u));
  if (!table) continue; // it is what the code says
  const { t } = textsIn(language, table);
  const known = Object.keys(table).map(plain);
  const isKnown = (text: string) => {
    if (known.includes(plain(text))) return true;
    const one = new RegExp(`^${plain(text).split("{}").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".+")}$`);
    return text.includes("{}") && known.some((english) => one.test(english)); // of several words in a place, each has its text
  };

  test(`${language} has in each text the places of the English one`, () => {
    for (const [english, said] of Object.entries(table)) assert.deepEqual(places(said), places(english), english);
  });

  test(`${language} has each text of the pages`, () => {
    const found = [...textsOfThePages(), ...[...PRIORITIES, "no"].map((one) => `${one} priority`)];
    assert.ok(found.length > 300);
    assert.deepEqual(found.filter((text) => /[a-z]{2}/i.test(plain(text)) && !isKnown(text)), []);
  });

  test(`${language} has each sentence of the backend that a page may show`, () => {
    const found = sentencesOfTheBackend();
    assert.ok(found.length > 40);
    assert.deepEqual(found.filter((text) => !isKnown(text)), []);
  });

  test(`${language} has what a server says, with its values`, () => {
    assert.match(t("due: “when pigs fly” is no date that I understand; write 2026-03-12, or “tomorrow at 5”."), /“?when pigs fly(?!.* is no date)/);
    assert.match(t("Too many attempts. Try again in 12 s."), /12 s/);
    assert.match(t("You have 10000 todos, which is the most that one can have. Delete some first."), /10000/);
    assert.match(t("Added buy {milk}, 2 $1."), /buy \{milk\}, 2 \$1/);
    assert.match(t("Deleted buy milk."), /buy milk(?!\.)/);
    assert.equal(t("A sentence that nobody knows."), "A sentence that nobody knows.");
  });
}

/** What begins as a text does and is none: keys, names of browsers and systems, headers. */
const NO_TEXTS = /^(Arrow(Down|Up)?|Backspace|Enter|Escape|Edge|Opera|Mac OS|(Authorization: )?Bearer \{\}|Path=.*|Max-Age=.*|HttpOnly|SameSite=.*|Secure)$/;

/** The texts that the code says: what `t` is called with, and whatever else begins as one, put together from values too. */
function textsOfThePages(): Set<string> {
  const found = new Set<string>();
  const root = path.join(import.meta.dirname, "..");
  for (const name of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    if (!/^(app|components|lib)\/.*\.tsx?$/.test(name) || name.startsWith("lib/texts/")) continue;
    const source = ts.createSourceFile(name, readFileSync(path.join(root, name), "utf8"), ts.ScriptTarget.Latest, true);
    const literals = (node: ts.Node): string[] => {
      if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return [node.text];
      return ts.isConditionalExpression(node) ? [...literals(node.whenTrue), ...literals(node.whenFalse)] : [];
    };
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && /^(.*\.)?(t|said)$/.test(node.expression.getText())) {
        const isText = node.expression.getText() !== "said" || !/^(title|notes|due|priority)$/.test(literals(node.arguments[0]!)[0] ?? "");
        if (isText) literals(node.arguments[0]!).forEach((text) => found.add(text));
      }
      const [text] = ts.isTemplateExpression(node) ? [[node.head, ...node.templateSpans.map(({ literal }) => literal)].map(({ text }) => text).join("{}")] : literals(node);
      if (text && /^“?[A-Z][a-z ’]|^\{\} .*\.$/.test(text) && !NO_TEXTS.test(text)) found.add(text);
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}

/** Where the backend speaks to whoever runs it, to an outside client, or as the assistant, in its own two languages. */
const NOT_SHOWN = /^(acceptance|mcp_server|metrics|migrate|reset_password|health\/.*|chat\/replies|migrations\/.*)\.py$/;
const SAID_OTHERWISE = [
  "There is already an account with this e-mail address.", // components/auth-form.tsx has its own words for these two
  "E-mail address or password is wrong.",
  "The account is deleted for its password, at /auth/me/delete.", // no page asks for it so
  "Tell the user what is done and what is not yet, and ask whether to go on.", // to a model
];

/** The sentences in the backend's code, descriptions of its API aside, and why it is that assistant which answers. */
function sentencesOfTheBackend(): string[] {
  const root = path.join(import.meta.dirname, "../../backend/src/todo_backend");
  const read = (name: string) => readFileSync(path.join(root, name), "utf8").replace(/"""[^]*?"""|\bproblem\([^)]*\)/g, "");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".py") && !NOT_SHOWN.test(name));
  const said = files.flatMap((name) => [...read(name).matchAll(/"((?:[^"\\\n]|\\.)*)"/g)].map(([, text = ""]) => text.replace(/\{[^}]*\}/g, "{}")));
  const notices = read("chat/replies.py").split("GERMAN")[0]!.matchAll(/"notice [^"]+": "([^"]+)"/g);
  return [...said.filter((text) => /^[A-Z].* .*\.$/.test(text) && !SAID_OTHERWISE.includes(text)), ...[...notices].map(([, text = ""]) => text)];
}
