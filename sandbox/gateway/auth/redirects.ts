import type { AuthSettings } from "../../management/auth-config.ts";

function parse(text: string): URL | null {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url : null;
  } catch {
    return null;
  }
}

/** `**` stands for anything, `*` for anything without a dot or slash, `?` for one character. */
function patternFits(pattern: string, text: string): boolean {
  const source = pattern
    .split(/(\*\*|\*|\?)/)
    .map((part) => {
      if (part === "**") return ".*";
      if (part === "*") return "[^./]*";
      if (part === "?") return "[^./]";
      return part.replace(/[.+^${}()|[\]\\]/g, "\\$&");
    })
    .join("");
  return new RegExp(`^${source}$`).test(text);
}

/**
 * Where a link of a mail may lead: to the wish when its host is the site's or the project's
 * allow list has it, else to the site itself.
 */
export function allowedRedirect(config: AuthSettings, wish: string | null | undefined): string {
  const url = wish ? parse(wish) : null;
  if (!wish || !url) return config.site_url;
  if (parse(config.site_url)?.hostname === url.hostname) return wish;
  const bare = wish.replace(/#.*$/s, "");
  const patterns = config.uri_allow_list.split(",").map((part) => part.trim());
  return patterns.some((part) => part && patternFits(part, bare)) ? wish : config.site_url;
}
