import {
  type Finding,
  FORBIDDEN_STATEMENTS,
  isProtected,
  protectedSchemaFinding,
  roleFinding,
  SERVER_FINDING,
} from "./sql-rules.ts";
import { isOpenTo } from "./sql-targets.ts";
import type { Token } from "./sql-tokens.ts";

/** Up to the target's name; what comes after a word like these is not the target. */
const WORDS = "(?:(?!(?:as|select|from|references|returns|values) )[a-z_0-9]+ )";
const TARGET = new RegExp(
  `^(?<verb>insert into |update (?:only )?|delete from (?:only )?|merge into |truncate (?:table )?(?:only )?|lock (?:table )?|refresh materialized view (?:concurrently )?|(?:create|alter|drop|comment on) ${WORDS}{1,9}?|(?:grant|revoke) [a-z_, ()]+? on (?:table |function |sequence |schema |all [a-z]+ in schema )?)(?:(?<schema>[^ ]+) \\. (?<name>[^ ]+)|(?<=schema )(?<whole>[^ ]+))`,
);
const OUTSIDE =
  /^(?:create|alter|drop) (?<what>role|user|group|database|tablespace|subscription|server|event trigger|system) /;
const AUTHORIZED = /^create schema .*\bauthorization /;
const DEFAULTS = /^alter default privileges /;
const OWNED = /^(?:reassign|drop) owned /;

/**
 * A DO block runs at once, as what the file itself does: its statements change nothing outside the
 * template's schemas, and no roles or databases. The statement begins with the token at `from`.
 */
export function judgeStatement(tokens: readonly Token[], from: number): Finding | null {
  let end = from;
  while (end < tokens.length && !isEnd(tokens[end])) end += 1;
  const statement = tokens.slice(from, end);
  const text = `${statement.map((token) => (token.kind === "string" ? "''" : token.text)).join(" ")} `;
  const what = OUTSIDE.exec(text)?.groups?.what;
  if (what && /^(role|user|group)$/.test(what)) return roleFinding(`a change of a ${what}`);
  if (what) return SERVER_FINDING;
  if (OWNED.test(text)) return roleFinding("a change of what roles own");
  if (AUTHORIZED.test(text)) return roleFinding("a schema that belongs to another role");
  if (DEFAULTS.test(text)) return FORBIDDEN_STATEMENTS.AlterDefaultPrivilegesStmt ?? null;
  const { verb = "", schema, whole, name = "" } = TARGET.exec(text)?.groups ?? {};
  const further = furtherSchemas(text, whole !== undefined).find(isProtected);
  if (further) return protectedSchemaFinding(further);
  const changed = schema ?? whole;
  if (!changed) return writesCatalog(text) ? protectedSchemaFinding("pg_catalog") : null;
  if (!isProtected(changed)) return null;
  return isOpenTo(verb, `${changed}.${name}`) ? null : protectedSchemaFinding(changed);
}

/** DROP and the like take several targets, and ALTER moves one to another schema. */
function furtherSchemas(text: string, areSchemas: boolean): string[] {
  if (/^alter /.test(text)) return [/ set schema ([^ ]+) /.exec(text)?.[1] ?? []].flat();
  if (!/^(drop|truncate|lock|grant|revoke) /.test(text)) return [];
  // The arguments of a function may be of any schema's types.
  const plain = text.replace(/\([^()]*\)/g, "");
  const names = plain.matchAll(areSchemas ? / , ([^ ]+)/g : / , (?:only )?([^ ]+) \. /g);
  return [...names].flatMap(([, name = ""]) => name);
}

const isEnd = (token: Token | undefined) => token?.kind === "sign" && token.text === ";";

/** Whether the word at `i` changes rows: such a statement may stand in a WITH or a FOR of another. */
export function changesRows(tokens: readonly Token[], i: number): boolean {
  const [word, next] = [tokens[i]?.text ?? "", tokens[i + 1]?.text ?? ""];
  return word === "update" || /^(insert|merge) into$|^delete from$/.test(`${word} ${next}`);
}

/** A name without a schema that begins with pg_ is found in pg_catalog first. */
const writesCatalog = (text: string) =>
  /^(insert into|update (only )?|delete from (only )?|merge into|truncate (table )?(only )?) ?pg_/.test(
    text,
  );
