import { z } from "zod";
import { RequestNotFoundError } from "#app/domain/queue/index.server.ts";

/** The request that an address names. @throws a 404 response for what is no id */
export function requestIdOf(params: { requestId?: string | undefined }): string {
  const parsed = z.uuid().safeParse(params.requestId);
  if (!parsed.success) throw new Response(null, { status: 404 });
  return parsed.data;
}

/** What a page reads about one request. @throws a 404 response where there is no such request */
export async function orNotFound<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RequestNotFoundError) throw new Response(null, { status: 404 });
    throw error;
  }
}
