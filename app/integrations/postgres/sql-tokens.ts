/**
 * A lexer for PostgreSQL's tokens, as far as the wall needs them: the bodies of plpgsql functions
 * (for which the parser has no grammar) and the first token of a statement. The rules are those of
 * "Lexical Structure" in PostgreSQL's manual, with standard_conforming_strings on, which every
 * run session sets.
 */
export interface Token {
  /** `word`: unquoted and folded to lower case; `name`: a quoted identifier; `string`: its content. */
  kind: "word" | "name" | "string" | "number" | "sign";
  text: string;
  /** A string written with backslashes: E'…'. */
  escaped?: boolean;
  /** Offset of the first character in the source. */
  at: number;
  /** Offset after the last. */
  end: number;
}

const WORD = /[A-Za-z_\u0080-\u{10ffff}][A-Za-z_0-9$\u0080-\u{10ffff}]*/uy;
const NUMBER = /[0-9][0-9A-Za-z_.]*/y;
const DOLLAR = /\$(?:[A-Za-z_\u0080-\u{10ffff}][A-Za-z_0-9\u0080-\u{10ffff}]*)?\$/uy;
const SPACE = /\s+/y;

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** Offset just after the comments and white space that begin at `at`. Block comments nest. */
export function skipBlank(text: string, at = 0): number {
  for (;;) {
    const space = matchAt(SPACE, text, at);
    if (space) {
      at += space.length;
    } else if (text.startsWith("--", at)) {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end + 1;
    } else if (text.startsWith("/*", at)) {
      at = skipBlockComment(text, at);
    } else {
      return at;
    }
  }
}

function skipBlockComment(text: string, at: number): number {
  let depth = 0;
  while (at < text.length) {
    if (text.startsWith("/*", at)) {
      depth += 1;
      at += 2;
    } else if (text.startsWith("*/", at)) {
      depth -= 1;
      at += 2;
      if (depth === 0) return at;
    } else {
      at += 1;
    }
  }
  return text.length;
}

const ESCAPE =
  /\\(?:x(?<byte>[0-9a-fA-F]{1,2})|(?<octal>[0-7]{1,3})|u(?<short>[0-9a-fA-F]{4})|U(?<long>[0-9a-fA-F]{8}))/y;
const CONTROL: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** What a backslash and what follows it stand for. A byte above 127 is part of no word of SQL. */
function readEscape(text: string, at: number): { text: string; end: number } {
  ESCAPE.lastIndex = at;
  const found = ESCAPE.exec(text);
  if (!found) {
    const next = text[at + 1] ?? "";
    return { text: CONTROL[next] ?? next, end: at + 2 };
  }
  const { byte, octal, short, long } = found.groups ?? {};
  const hex = byte ?? short ?? long;
  const code =
    hex === undefined ? Number.parseInt(octal ?? "0", 8) & 0xff : Number.parseInt(hex, 16);
  const isCharacter = code > 0 && code <= 0x10ffff;
  return { text: isCharacter ? String.fromCodePoint(code) : "", end: at + found[0].length };
}

/** Reads a quoted run that starts at `at`; a doubled quote stands for itself. */
function readQuoted(text: string, at: number, backslashes: boolean): { text: string; end: number } {
  const quote = text[at];
  let content = "";
  let i = at + 1;
  while (i < text.length) {
    const c = text[i] as string;
    if (c === quote && text[i + 1] !== quote) return { text: content, end: i + 1 };
    if (backslashes && c === "\\") {
      const meant = readEscape(text, i);
      content += meant.text;
      i = meant.end;
      continue;
    }
    if (c === quote) i += 1;
    content += text[i] ?? "";
    i += 1;
  }
  return { text: content, end: text.length };
}

/** Splits SQL or plpgsql text into tokens; comments and white space are dropped. Never throws. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = skipBlank(text);
  while (at < text.length) {
    const token = readToken(text, at);
    tokens.push({ ...token, at, end: Math.min(token.end, text.length) });
    at = skipBlank(text, token.end);
  }
  return tokens;
}

function readToken(text: string, at: number): Omit<Token, "at"> {
  const first = text[at] as string;
  if (/[eE]/.test(first) && text[at + 1] === "'") {
    return { kind: "string", escaped: true, ...readQuoted(text, at + 1, true) };
  }
  if (first === "'") return { kind: "string", ...readQuoted(text, at, false) };
  if (first === '"') return { kind: "name", ...readQuoted(text, at, false) };
  const tag = matchAt(DOLLAR, text, at);
  if (tag) {
    const close = text.indexOf(tag, at + tag.length);
    const end = close < 0 ? text.length : close;
    return { kind: "string", text: text.slice(at + tag.length, end), end: end + tag.length };
  }
  const word = matchAt(WORD, text, at);
  if (word) return { kind: "word", text: word.toLowerCase(), end: at + word.length };
  const number = matchAt(NUMBER, text, at);
  if (number) return { kind: "number", text: number, end: at + number.length };
  return { kind: "sign", text: first, end: at + 1 };
}
