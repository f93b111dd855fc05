import { changesRows, judgeStatement } from "./sql-block.ts";
import { judgePathAt, judgeSetConfigPath } from "./sql-path.ts";
import {
  type Finding,
  FOREIGN_FINDING,
  functionFinding,
  isForbiddenFunction,
  isSettable,
  LEDGER_SCHEMAS,
  PG_SETTINGS_FINDING,
  protectedSchemaFinding,
  roleFinding,
  SERVER_FINDING,
  SESSION_FINDING,
  settingFinding,
  TRANSACTION_FINDING,
} from "./sql-rules.ts";
import { type Token, tokenize } from "./sql-tokens.ts";

const STATEMENT_OPENERS = new Set(["begin", "then", "else", "loop", "declare"]);
const TRANSACTION_WORDS = new Set(["commit", "rollback", "abort", "savepoint"]);
const AFTER_TRANSACTION_WORD = new Set(["work", "transaction", "to", "and", "prepared"]);
const SESSION_WORDS = new Set(["listen", "unlisten", "discard", "reset", "deallocate", "load"]);
const MAX_STRING_DEPTH = 6;

/**
 * Looks through the body of a plpgsql function or DO block; the latter runs at once. The build of PostgreSQL's parser that
 * is used has no grammar for plpgsql, so this goes by tokens: comments are skipped, strings are
 * looked into as well, since EXECUTE runs them; only the format of a RAISE is not. What a body assembles at run time from pieces
 * stays unseen; for that the step's own guard compares transaction id, role, lock and fence
 * before it commits.
 */
export function scanBody(body: string, { runsNow }: { runsNow: boolean }): Finding | null {
  return scan(tokenize(body), { runsNow, inString: false, continues: false, depth: 0 });
}

interface Where {
  /** Part of a DO block: of what the file itself does. */
  runsNow: boolean;
  inString: boolean;
  /** Part of a string that more is joined to. */
  continues: boolean;
  depth: number;
}

function scan(tokens: Token[], where: Where): Finding | null {
  for (let i = 0; i < tokens.length; i += 1) {
    const finding = scanAt(tokens, i, where);
    if (finding) return finding;
  }
  return null;
}

function scanAt(tokens: Token[], i: number, where: Where): Finding | null {
  const token = tokens[i] as Token;
  const next = tokens[i + 1];
  if (token.kind === "string") {
    const reads = tokens[i - 1]?.text === "(" && tokens[i - 2]?.text === "current_setting";
    if (reads || isMessage(tokens, i) || where.depth >= MAX_STRING_DEPTH) return null;
    const continues = next?.text === "|" || next?.kind === "string";
    const depth = where.depth + 1;
    return scan(tokenize(token.text), { ...where, inString: true, continues, depth });
  }
  if (token.kind !== "word" && token.kind !== "name") return null;
  const isCall = next?.text === "(";
  if (isForbiddenFunction(token.text) && (isCall || !where.inString)) {
    return functionFinding(token.text);
  }
  if (token.text === "set_config" && isCall) return scanSetConfig(tokens, i);
  if (token.text === "search_path" && (next?.text === "=" || next?.text === "to")) {
    return judgePathAt(tokens, i, where.continues);
  }
  if (token.text === "pg_settings" && namesRelation(tokens[i - 1])) return PG_SETTINGS_FINDING;
  if (LEDGER_SCHEMAS.has(token.text) && next?.text === ".") {
    return protectedSchemaFinding(token.text);
  }
  if (token.kind === "name") return null;
  if (token.text === "u" && next?.text === "&" && next.at === token.at + 1) {
    const found = "a name or string with Unicode escapes (U&)";
    return { found, reason: "it hides what it names", fix: "Write the characters themselves." };
  }
  if (token.text === "alter" && next?.text === "system") {
    return { ...SERVER_FINDING, found: "ALTER SYSTEM" };
  }
  if (startsStatement(tokens, i)) return scanStatement(tokens, i, where);
  const isWithin = where.runsNow && changesRows(tokens, i) && isCode(tokens, i, where);
  return isWithin ? judgeStatement(tokens, i) : null;
}

/** Whether a word stands in a statement; a string of a body may be prose. */
function isCode(tokens: Token[], i: number, { inString }: Where): boolean {
  if (!inString) return true;
  let first = i;
  while (first > 0 && tokens[first - 1]?.text !== ";") first -= 1;
  while (tokens[first]?.text === "(") first += 1;
  const [word, ...next] = tokens.slice(first, first + 4).map(({ text }) => text);
  if (word === "with") return next.includes("as") || next.includes("(");
  return /^(explain|prepare|create)$/.test(word ?? "");
}

const namesRelation = (before: Token | undefined) =>
  /^(update|only|from|join|into|table|,|\.)$/.test(before?.text ?? "");

/** Whether a string is the format of a RAISE: it is shown, and never run. */
function isMessage(tokens: Token[], i: number): boolean {
  if (!/^(,|;|using)$/.test(tokens[i + 1]?.text ?? "")) return false;
  const levelled = /^(debug|log|info|notice|warning|exception)$/.test(tokens[i - 1]?.text ?? "");
  const raise = i - (levelled ? 2 : 1);
  return tokens[raise]?.text === "raise" && startsStatement(tokens, raise);
}

function startsStatement(tokens: Token[], i: number): boolean {
  const before = tokens[i - 1];
  if (!before) return true;
  if (before.kind === "sign") return before.text === ";" || before.text === ">";
  return before.kind === "word" && STATEMENT_OPENERS.has(before.text);
}

function scanStatement(tokens: Token[], i: number, where: Where): Finding | null {
  const word = (tokens[i] as Token).text;
  const next = tokens[i + 1];
  const ends = !next || next.text === ";";
  const judged = where.runsNow ? judgeStatement(tokens, i) : null;
  if (judged) return judged;
  if (TRANSACTION_WORDS.has(word) && (ends || AFTER_TRANSACTION_WORD.has(next.text))) {
    return TRANSACTION_FINDING;
  }
  if (word === "savepoint" && !where.inString) return TRANSACTION_FINDING;
  if ((word === "prepare" || word === "start") && next?.text === "transaction") {
    return TRANSACTION_FINDING;
  }
  if (word === "set" || word === "reset") return scanSet(tokens, i, where);
  if (word === "copy") {
    const rest = tokens.slice(i, i + 12);
    const file = rest.some((t, n) => /^(from|to)$/.test(t.text) && rest[n + 1]?.kind === "string");
    const program = rest.some((t) => t.text === "program");
    if (!where.inString || file || program) return { ...FOREIGN_FINDING, found: "COPY" };
  }
  if (!where.inString && SESSION_WORDS.has(word)) return SESSION_FINDING;
  return null;
}

function scanSet(tokens: Token[], i: number, where: Where): Finding | null {
  const first = tokens[i + 1]?.text;
  const scoped = first === "local" || first === "session";
  const target = tokens[i + (scoped ? 2 : 1)];
  const dotted = tokens[i + (scoped ? 3 : 2)]?.text === ".";
  const name = target?.text.toLowerCase() ?? "";
  if (name === "role" || name === "authorization" || name === "session_authorization") {
    return roleFinding("SET ROLE or SET SESSION AUTHORIZATION");
  }
  // A sentence in a string may begin with "Set"; only what can be told from prose is refused there.
  if (where.inString) return null;
  if (first !== "local") return SESSION_FINDING;
  const allowed = dotted ? !LEDGER_SCHEMAS.has(name) : isSettable(name);
  return allowed ? null : settingFinding(name);
}

function scanSetConfig(tokens: Token[], i: number): Finding | null {
  const argument = tokens[i + 2];
  const constant = argument?.kind === "string" && tokens[i + 3]?.text === ",";
  const name = constant ? argument.text.toLowerCase() : "";
  if (name === "search_path") return judgeSetConfigPath(tokens, i);
  if (constant && isSettable(name)) return null;
  return settingFinding(constant ? argument.text : "a name computed at run time");
}
