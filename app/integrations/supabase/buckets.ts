import { z } from "zod";

/** A bucket of a project's Storage. What is absent is not asked for, and stays as it is. */
export interface Bucket {
  id: string;
  public: boolean;
  /** In bytes; absent for the project's own limit. */
  fileSizeLimit?: number | undefined;
  /** Absent for every kind of file. */
  allowedMimeTypes?: string[] | undefined;
}

const answer = z.object({
  id: z.string(),
  public: z.boolean(),
  file_size_limit: z.number().nullish(),
  allowed_mime_types: z.array(z.string()).nullish(),
});

/** A bucket as Storage tells it; null for an answer that is none. */
export function readBucket(data: unknown): Bucket | null {
  const read = answer.safeParse(data);
  if (!read.success) return null;
  const { id, public: isPublic, file_size_limit, allowed_mime_types } = read.data;
  return {
    id,
    public: isPublic,
    fileSizeLimit: file_size_limit ?? undefined,
    allowedMimeTypes: allowed_mime_types ?? undefined,
  };
}

const sorted = (kinds: readonly string[] | undefined) => JSON.stringify(kinds?.toSorted() ?? null);

/** Whether a bucket has all that is asked for. */
export function isAsWanted(bucket: Bucket, wanted: Bucket): boolean {
  const { fileSizeLimit: limit, allowedMimeTypes: kinds } = wanted;
  return (
    bucket.public === wanted.public &&
    (limit === undefined || bucket.fileSizeLimit === limit) &&
    (kinds === undefined || sorted(bucket.allowedMimeTypes) === sorted(kinds))
  );
}
