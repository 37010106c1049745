import { marked, type Token, type Tokens } from "marked";
import { Fragment, type ReactNode } from "react";

/**
 * A model's answer, with its simple Markdown. What it writes as HTML is text; nothing is loaded, and nothing leads away:
 * an answer may have been steered by somebody's title or note, so of a link its address is shown.
 */
export function Prose({ children }: { children: string }) {
  return <div className="flex flex-col gap-2 whitespace-normal">{blocks(marked.lexer(children, { gfm: true, breaks: true }))}</div>;
}

const blocks = (tokens: Token[] = []) => tokens.map((token, index) => <Fragment key={index}>{block(token)}</Fragment>);
const inlines = (tokens: Token[] = []) => tokens.map((token, index) => <Fragment key={index}>{inline(token)}</Fragment>);

function block(token: Token): ReactNode {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "paragraph":
      return <p>{inlines(token.tokens)}</p>;
    case "heading":
      return <p className="font-semibold">{inlines(token.tokens)}</p>;
    case "code":
      return <pre className="scroll-quiet overflow-x-auto rounded-lg bg-surface/70 p-2 text-sm">{token.text}</pre>;
    case "blockquote":
      return <blockquote className="border-l-2 border-line-strong pl-3">{blocks(token.tokens)}</blockquote>;
    case "list":
      return list(token as Tokens.List);
    case "hr":
      return <hr className="border-line-strong" />;
    case "text": // of a list's item
      return token.tokens ? inlines(token.tokens) : token.text;
    default:
      return <p className="whitespace-pre-wrap">{token.raw.trim()}</p>;
  }
}

/** The numbers are those that were written: todos go by theirs, and these are no 1, 2, 3. */
function list({ ordered, items }: Tokens.List): ReactNode {
  const lines = items.map((item, index) => (
    <li key={index} value={ordered ? Number.parseInt(item.raw.trimStart(), 10) : undefined}>
      {item.task ? (item.checked ? "☑ " : "☐ ") : null}
      {blocks(item.tokens.filter(({ type }) => type !== "checkbox"))}
    </li>
  ));
  return ordered ? <ol className="list-decimal pl-9">{lines}</ol> : <ul className="list-disc pl-5">{lines}</ul>;
}

function inline(token: Token): ReactNode {
  switch (token.type) {
    case "strong":
      return <strong>{inlines(token.tokens)}</strong>;
    case "em":
      return <em>{inlines(token.tokens)}</em>;
    case "del":
      return <del>{inlines(token.tokens)}</del>;
    case "codespan":
      return <code className="rounded bg-surface/70 px-1 text-[0.9em]">{token.text}</code>;
    case "br":
      return <br />;
    case "link":
      return token.text === token.href ? token.text : <>{inlines(token.tokens)} ({token.href})</>;
    case "escape":
      return token.text;
    case "text":
      return token.tokens ? inlines(token.tokens) : token.text;
    default:
      return token.raw;
  }
}
