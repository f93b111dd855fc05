import { authSettingsOf, type Bucket, bucketsOf } from "../catalog/index.server.ts";
import { wordsOf } from "./auth-settings.ts";
import type { PlannedStep } from "./plan.ts";
import { stepName } from "./project-buckets.ts";

/** What a step's bucket or Auth is set to, in words; undefined where no template says. */
export function aboutOf(
  templates: Parameters<typeof bucketsOf>[0],
  { kind, name }: Pick<PlannedStep, "kind" | "name">,
): { about: string } | undefined {
  if (kind === "auth-config") {
    const words = wordsOf(authSettingsOf(templates));
    return words.length > 0 ? { about: words.join(", ") } : undefined;
  }
  if (kind !== "storage") return undefined;
  const found = bucketsOf(templates).find(({ bucket }) => name === stepName(bucket));
  return found && { about: bucketWords(found.bucket) };
}

const MIB = 1_048_576;
const KIB = 1_024;

/** "private, up to 20 MiB". */
function bucketWords({ public: isPublic, file_size_limit: limit }: Bucket): string {
  const access = isPublic ? "public" : "private";
  if (limit === undefined) return access;
  const size = limit >= MIB ? `${round(limit / MIB)} MiB` : `${round(limit / KIB)} KiB`;
  return `${access}, up to ${size}`;
}

const round = (size: number) => Math.round(size * 10) / 10;
