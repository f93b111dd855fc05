/** The text's first `max` UTF-16 units; one less where the last would be half of a character. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const last = text.charCodeAt(max - 1);
  const isHalf = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, isHalf ? max - 1 : max);
}

/**
 * A copy of plain data that PostgreSQL takes as jsonb: lone surrogates and NUL, which it refuses,
 * become U+FFFD in every string. Fields that are undefined are left out, as JSON has it.
 */
export function storable<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value, (_key, item: unknown) =>
      typeof item === "string" ? item.toWellFormed().replaceAll("\0", "\ufffd") : item,
    ),
  );
}
