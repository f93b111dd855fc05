import type { Bucket as ProjectBucket } from "#app/integrations/supabase/buckets.ts";
import { BucketLimitError } from "#app/integrations/supabase/errors.ts";
import { type Bucket, bucketsOf, type Catalog } from "../catalog/index.server.ts";
import { CheckFailedError, NeedsPersonError } from "./errors.ts";
import type { PlannedStep } from "./plan.ts";
import type { Site, StepFacts } from "./steps.ts";

const BEGINS = "Storage: ";

/** The name of the step that makes a bucket. */
export const stepName = ({ bucket }: Bucket) => `${BEGINS}${bucket}`;

/** The bucket's name, by that of its step. */
export const bucketNameOf = ({ name }: Pick<PlannedStep, "name">) => name.replace(BEGINS, "");

/** A step for each bucket that the templates of a run ask for. */
export function bucketSteps(templates: Parameters<typeof bucketsOf>[0]): PlannedStep[] {
  return bucketsOf(templates).map(({ bucket, template }) => ({
    name: stepName(bucket),
    kind: "storage",
    template,
  }));
}

/** The bucket that a step is about. @throws CheckFailedError where no template asks for it any more */
export function bucketOf(
  { catalog, templates }: { catalog: Catalog; templates: readonly string[] },
  { name }: Pick<PlannedStep, "name">,
): ProjectBucket {
  const asked = bucketsOf(templates.map((one) => catalog.get(one)));
  const bucket = asked.map((one) => one.bucket).find((one) => stepName(one) === name);
  if (!bucket) {
    throw new CheckFailedError("bucket_unknown", [
      {
        name,
        found: "no template asks for this bucket any more",
        needed: "the buckets that were planned",
        fix: "Retry: the run is planned anew from the templates as they are now.",
      },
    ]);
  }
  return {
    id: bucket.bucket,
    public: bucket.public,
    fileSizeLimit: bucket.file_size_limit,
    allowedMimeTypes: bucket.allowed_mime_types,
  };
}

/** Makes the bucket of a step, or makes it what its template says. */
export async function provideBucket(site: Site, step: PlannedStep): Promise<StepFacts> {
  const bucket = bucketOf(site, step);
  const outcome = await site.admin.ensureBucket(bucket).catch((error: unknown) => {
    // The project's own limit depends on its plan at Supabase, which Berth does not change.
    if (!(error instanceof BucketLimitError)) throw error;
    const page = `https://supabase.com/dashboard/project/${site.projectRef}/storage/settings`;
    throw NeedsPersonError.of(error, page);
  });
  return { outcome };
}
