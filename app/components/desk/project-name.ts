const LONGEST = 40;

/**
 * A name for a company's project, as a person would write it: letters, digits and hyphens. Where
 * nothing of the company's name is left, the beginning of the request's id stands for it.
 */
export function projectNameOf(company: string, requestId: string): string {
  const name = company
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll("ß", "ss")
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, LONGEST)
    .replace(/^-+|-+$/g, "");
  return name || `request-${requestId.slice(-12)}`;
}
