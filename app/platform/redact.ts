/**
 * Redaction by key and by shape. It is the second wall: secrets should not reach a log call at
 * all, but an error of somebody else's library may carry one.
 */

const MARK = "[redacted]";

/** Longer strings are cut before they are searched, which also bounds the work of the patterns. */
const MAX_TEXT = 16_384;
const MAX_DEPTH = 8;
const MAX_ITEMS = 100;

const secretKey =
  /password|passwd|passphrase|secret|apikey|accesskey|privatekey|signingkey|serverolekey|servicerole|anonkey|publishablekey|encryptionkey|datakey|masterkey|authorization|cookie|credential|connectionstring|databaseurl|jwt|totp|^dsn$|^otp$|tokens?$|tokenhash$/;

/** A fencing token is a counter, and the first thing one looks for when two workers met. */
const harmlessKey = /^(fencing|fence|lease)token$/;

type Rule = readonly [pattern: RegExp, replacement: string | ((...groups: string[]) => string)];

/**
 * Keys of the keyring are `id:base64`, and base64 has slashes: a URL's or stack frame's path and
 * a checksum written `sha256:hex` look alike and are no secrets.
 */
function keyringEntry(whole = "", id = "", value = ""): string {
  if (/^(?:file|node|https?|wss?)$/.test(id) || /^[0-9a-f]+$/.test(value)) return whole;
  return `${id}:${MARK}`;
}

/**
 * The shapes of secrets that this program meets. `any` is the class of characters that a free
 * value may hold: the text of one string may hold quotes, a whole JSON line must be left intact.
 */
function shapes(any: string): Rule[] {
  return [
    // JSON Web Tokens, also cut-off ones: base64url of `{"`.
    [/\beyJ[\w-]{14,}(?:\.[\w-]*){0,4}/g, MARK],
    [/\b(sb_(?:secret|publishable)_)[\w-]+/g, `$1${MARK}`],
    [/\b(sbp_)(?:v0_|oauth_)?[0-9a-f]{16,}/g, `$1${MARK}`],
    [/\b(berth_)[A-Za-z0-9]{24,}\b/g, `$1${MARK}`],
    // A connection string's password may hold a raw "@" or "/": it ends at the last "@".
    [
      new RegExp(
        `\\b((?:postgres(?:ql)?|smtps?|rediss?|amqps?|mysql)://[^\\s:@/?#"\\\\]{0,256}):${any}{0,1024}@`,
        "gi",
      ),
      `$1:${MARK}@`,
    ],
    [/\b([a-z][a-z0-9+.-]{0,15}:\/\/[^\s:@/?#"\\]{0,256}):[^\s@/"\\]{1,1024}@/gi, `$1:${MARK}@`],
    [/\b(Bearer|Basic)\s+[\w.~+/=:-]{8,}/gi, `$1 ${MARK}`],
    [
      /([?&#;](?:access_token|refresh_token|provider_token|token_hash|token|code|apikey|api_key|key|password|secret|sslpassword)=)[^&#\s"\\]+/gi,
      `$1${MARK}`,
    ],
    [
      /\b((?:password|passwd|pwd|api_?key|secret|app_secret|encryption_keys)\s?=\s?)(?!\[redacted\])[^\s&;,"\\]{1,1024}/gi,
      `$1${MARK}`,
    ],
    [/\b([\w.-]{1,64}):([A-Za-z0-9+/_-]{42,}={0,2})/g, keyringEntry],
  ];
}

const textShapes: Rule[] = [
  ...shapes("[^\\s]"),
  [/-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,32}-----|$)/g, MARK],
  // drizzle writes the values of a failed statement into its error's message (and so its stack).
  [/(Failed query: [\s\S]*?\nparams: )[\s\S]*?(?=\n {4}at |$)/g, `$1${MARK}`],
];

const lineShapes: Rule[] = shapes('[^\\s"\\\\]');

function applyRules(text: string, rules: Rule[]): string {
  let result = text;
  for (const [pattern, replacement] of rules) {
    result = result.replace(pattern, replacement as string);
  }
  return result;
}

/**
 * The text without what has the shape of a secret: JSON Web Tokens, Supabase keys and access
 * tokens, connection strings' passwords, bearer tokens, keyring entries, private keys. Text
 * longer than 16,384 characters is cut. Never throws.
 */
export function redactText(text: string): string {
  const cut = text.length - MAX_TEXT;
  const bounded = cut > 0 ? `${text.slice(0, MAX_TEXT)}… (${cut} more characters)` : text;
  return applyRules(bounded, textShapes);
}

/**
 * One finished JSON line, searched once more for shapes, its remaining control characters
 * (DEL, C1, line separators) written as escapes: a terminal obeys 0x9b as it obeys ESC [.
 */
export function redactLine(line: string): string {
  return applyRules(line, lineShapes).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function isSecretKey(key: string): boolean {
  const plain = key.toLowerCase().replace(/[^a-z]/g, "");
  return secretKey.test(plain) && !harmlessKey.test(plain);
}

function ofError(error: Error, depth: number, seen: Set<object>): Record<string, unknown> {
  const facts: Record<string, unknown> = {
    type: error.name,
    message: redactText(String(error.message)),
    stack: redactText(String(error.stack ?? "")),
  };
  for (const key of Object.keys(error)) {
    if (key in facts || key === "name") continue;
    // Values of a failed statement (pg, drizzle): ours to keep out of logs, whatever they are.
    if (key === "params" || key === "parameters") facts[key] = MARK;
    else facts[key] = property(error, key, depth, seen);
  }
  if (error.cause !== undefined) facts.cause = copy(error.cause, depth + 1, seen);
  if (error instanceof AggregateError) facts.errors = copy(error.errors, depth + 1, seen);
  return facts;
}

function property(owner: object, key: string, depth: number, seen: Set<object>): unknown {
  let value: unknown;
  try {
    value = (owner as Record<string, unknown>)[key];
  } catch {
    return "[unreadable]";
  }
  if (value !== null && value !== undefined && typeof value !== "boolean" && isSecretKey(key)) {
    return MARK;
  }
  return copy(value, depth + 1, seen);
}

function entriesOf(value: object): [string, unknown][] | null {
  if (value instanceof Map || value instanceof Headers || value instanceof URLSearchParams) {
    return [...value].map(([key, item]) => [String(key), item]);
  }
  return null;
}

function copy(value: unknown, depth: number, seen: Set<object>): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "symbol" || typeof value === "function") return `[${typeof value}]`;
  if (typeof value !== "object" || value === null) return value;
  if (seen.has(value)) return "[circular]";
  if (depth > MAX_DEPTH) return "[too deep]";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return redactText(value.href);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;

  seen.add(value);
  try {
    if (value instanceof Error) return ofError(value, depth, seen);
    if (value instanceof Set) return copy([...value], depth, seen);
    if (Array.isArray(value)) {
      const items = value.slice(0, MAX_ITEMS).map((item) => copy(item, depth + 1, seen));
      if (value.length > MAX_ITEMS) items.push(`… (${value.length - MAX_ITEMS} more)`);
      return items;
    }
    const entries = entriesOf(value);
    const source = entries === null ? value : Object.fromEntries(entries);
    const result: Record<string, unknown> = {};
    for (const key of Object.keys(source).slice(0, MAX_ITEMS)) {
      if (key === "__proto__") continue;
      result[redactText(key)] = property(source, key, depth, seen);
    }
    return result;
  } finally {
    seen.delete(value);
  }
}

/**
 * A plain copy of any value that is safe to log: secrets gone by key and by shape, errors as
 * `{type, message, stack, …, cause}`, buffers as their length, cycles, depth and size bounded.
 * Never throws on unreadable properties.
 */
export function redactValue(value: unknown): unknown {
  return copy(value, 0, new Set());
}
