/** Kinds of files in words, by their media types. */
const WORDS: Record<string, string> = {
  "application/json": "JSON",
  "application/pdf": "PDF",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PowerPoint",
  "application/zip": "ZIP",
  "image/*": "images",
  "text/csv": "CSV",
  "text/plain": "plain text",
};

/** What a media type is called: `image/png` is PNG. One that nobody knows stands as it is. */
export function fileKind(type: string): string {
  const [, image] = /^image\/([a-z0-9]+)$/.exec(type) ?? [];
  return WORDS[type] ?? image?.toUpperCase() ?? type;
}
