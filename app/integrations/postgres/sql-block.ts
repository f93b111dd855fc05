import {
  type Finding,
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
const OWNED = /^(?:reassign|drop) owned /;

/**
 * A DO block runs at once, as what the file itself does: its statements change nothing outside the
 * template's schemas, and no roles or databases. `tokens` begin with a statement's first word.
 */
export function judgeStatement(tokens: readonly Token[]): Finding | null {
  const end = tokens.findIndex(({ text, kind }) => kind === "sign" && text === ";");
  const statement = tokens.slice(0, end < 0 ? undefined : end);
  const text = `${statement.map((token) => (token.kind === "string" ? "''" : token.text)).join(" ")} `;
  const what = OUTSIDE.exec(text)?.groups?.what;
  if (what && /^(role|user|group)$/.test(what)) return roleFinding(`a change of a ${what}`);
  if (what) return SERVER_FINDING;
  if (OWNED.test(text)) return roleFinding("a change of what roles own");
  const { verb = "", schema, whole, name = "" } = TARGET.exec(text)?.groups ?? {};
  const changed = schema ?? whole;
  if (!changed || !isProtected(changed)) return null;
  return isOpenTo(verb, `${changed}.${name}`) ? null : protectedSchemaFinding(changed);
}
