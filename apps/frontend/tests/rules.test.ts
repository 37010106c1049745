import assert from "node:assert/strict";
import { test } from "node:test";

import { firstPart, TEXT_MAX } from "@/lib/rules";

const isWhole = (text: string, most?: number) => {
  const [part, rest] = firstPart(text, most);
  assert.equal(part + rest, text);
  assert.ok(part.length <= (most ?? TEXT_MAX));
  return [part, rest];
};

test("of notes that are too long for one reading whole lines are read, and nothing is lost", () => {
  const lines = Array.from({ length: 150 }, (_, number) => `chore ${number} ${"x".repeat(70)}`).join("\n");
  const [part = "", rest = ""] = isWhole(lines);
  assert.ok(part.endsWith("\n") && part.length > TEXT_MAX - 100);
  assert.match(rest, /^chore \d+ x/);
  assert.deepEqual(isWhole(rest), [rest, ""]);
});

test("a line that is too long ends at a word, and a word that is too long at a character", () => {
  assert.deepEqual(isWhole("buy milk and oats", 10), ["buy milk ", "and oats"]);
  assert.deepEqual(isWhole("abcdefgh", 5), ["abcde", "fgh"]);
  assert.deepEqual(isWhole("abcd\u{1f600}ef", 5), ["abcd", "\u{1f600}ef"]);
});
