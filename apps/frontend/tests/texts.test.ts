import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import ts from "typescript";

import { languageFor, textsIn, LANGUAGES } from "@/lib/texts";
import { TABLES } from "@/lib/texts/tables";

test("the language is the chosen one, else the first that the browser asks for and there is, else English", () => {
  assert.equal(languageFor("de", "en"), "de");
  assert.equal(languageFor("xx", "fr;q=0.9, de-AT;q=0.8, en;q=0.1"), "de");
  assert.equal(languageFor(undefined, "en;q=0.5,de;q=0.7"), "de");
  assert.equal(languageFor(undefined, "de;q=0, en"), "en");
  assert.equal(languageFor("constructor", "fr"), "en");
  assert.equal(languageFor(undefined, null), "en");
});

const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).toSorted();

for (const [language, table] of Object.entries(TABLES)) {
  const { t } = textsIn(language, table);

  test(`${language} has a name, and in each text the places of the English one`, () => {
    assert.ok(LANGUAGES[language]);
    for (const [english, said] of Object.entries(table)) assert.deepEqual(places(said), places(english), english);
  });

  test(`${language} has each text of the pages`, () => {
    const missing = [...textsOfThePages()].filter((text) => /[a-z]{2}/i.test(text.replace(/\{\w+\}/g, "")) && !Object.hasOwn(table, text));
    assert.deepEqual(missing, []);
  });

  test(`${language} has what a server says, with its values`, () => {
    for (const sentence of SENTENCES) assert.notEqual(t(sentence), sentence);
    assert.match(t("Too many attempts. Try again in 12 s."), /12 s/);
    assert.match(t("You have 10000 todos, which is the most that one can have. Delete some first."), /10000/);
    assert.match(t("Added buy {milk}, 2 $1."), /buy \{milk\}, 2 \$1/);
    assert.match(t("Deleted buy milk."), /buy milk(?!\.)/);
    assert.equal(t("A sentence that nobody knows."), "A sentence that nobody knows.");
  });
}

const SENTENCES = [
  "The password is wrong.",
  "This todo has been changed meanwhile; look at it again.",
  "This todo has been deleted since.",
  "The language model did not answer in time, so the built-in assistant answers.",
  "due: “when pigs fly” is no date that I understand; write 2026-03-12, or “tomorrow at 5”.",
];

/** The texts that the code says literally: the first argument of `t`, and of what stands for it. */
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
      if (ts.isCallExpression(node) && node.expression.getText() === "titled") {
        ts.forEachChild(node.arguments[0]!, (property) => literals((property as ts.PropertyAssignment).initializer).forEach((text) => found.add(text)));
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}
