import {
  type Finding,
  isProtected,
  protectedSchemaFinding,
  SESSION_FINDING,
  settingFinding,
} from "./sql-rules.ts";
import type { Token } from "./sql-tokens.ts";

/** Being on the path changes nothing in these: only functions and types are found there. */
const HARMLESS = new Set(["extensions", "pg_catalog"]);

const COMPUTED = settingFinding("search_path to a value that is computed at run time");

/**
 * Judges a search_path, wherever it is set: a name without a schema must not lead into a schema that
 * is not the template's. `null` for what is computed at run time, which nobody can judge.
 */
export function judgePath(entries: readonly string[] | null): Finding | null {
  if (entries === null) return COMPUTED;
  const names = entries.flatMap((entry) => entry.split(",")).map(bare);
  const closed = names.find((name) => isProtected(name) && !HARMLESS.has(name));
  return closed === undefined ? null : protectedSchemaFinding(closed);
}

/** Quotes off and small letters: rather too many names are taken for a protected one. */
const bare = (name: string) => name.trim().replaceAll('"', "").toLowerCase();

/**
 * Judges what stands after the word search_path in a body.
 *
 * @param continues whether the text goes on elsewhere, as a string before `||` does.
 */
export function judgePathAt(tokens: readonly Token[], i: number, continues: boolean) {
  const entries: string[] = [];
  for (let at = i + 2; ; at += 2) {
    const entry = tokens[at];
    if (!entry || !/^(word|name|string)$/.test(entry.kind)) return judgePath(null);
    entries.push(entry.text);
    const next = tokens[at + 1];
    if ((!next && continues) || next?.kind === "string" || next?.text === "|") {
      return judgePath(null);
    }
    if (next?.text !== ",") return judgePath(entries);
  }
}

/** Judges `set_config('search_path', value, true)` in a body, `i` being the word set_config. */
export function judgeSetConfigPath(tokens: readonly Token[], i: number): Finding | null {
  const [value, comma, local] = tokens.slice(i + 4, i + 7);
  const closed = judgePath(value?.kind === "string" && comma?.text === "," ? [value.text] : null);
  if (closed) return closed;
  if (local?.text === "true") return null;
  return { ...SESSION_FINDING, fix: "Pass true as the third argument of set_config." };
}
