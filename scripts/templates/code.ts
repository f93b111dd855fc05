import { skipBlank, type Token, tokenize } from "#app/integrations/postgres/sql-tokens.ts";

/** A stretch of SQL or plpgsql: a statement, or the body of a function or DO block within it. */
export interface Code {
  tokens: Token[];
  isBody: boolean;
  /** The line of a token, counted from 1. */
  lineOf(token: Token): number;
}

/** A statement, and every body that stands in it. */
export function codeOf({ sql, line }: { sql: string; line: number }): Code[] {
  // A statement's line is that of its first word; its text may begin with comments.
  const before = countLines(sql.slice(0, skipBlank(sql)));
  return gather(sql, line - before, false);
}

function gather(text: string, firstLine: number, isBody: boolean): Code[] {
  const tokens = tokenize(text);
  const lineOf = ({ at }: Token) => firstLine + countLines(text.slice(0, at));
  const all: Code[] = [{ tokens, isBody, lineOf }];
  for (const [index, token] of tokens.entries()) {
    const before = tokens[index - 1];
    const follows = before?.kind === "word" && before.text === "as";
    if (token.kind !== "string" || !(follows || tokens[0]?.text === "do")) continue;
    all.push(...gather(token.text, lineOf(token), true));
  }
  return all;
}

const countLines = (text: string) => text.split("\n").length - 1;
