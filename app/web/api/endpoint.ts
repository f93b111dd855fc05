import type { z } from "zod";
import type { KeyHolder, Scope } from "#app/domain/identity/index.server.ts";
import type { Services } from "#app/domain/services.server.ts";
import type { Actor } from "#db/index.ts";

/** What the handler of a call gets: everything already checked. */
export interface Call<Query, Body> {
  services: Services;
  actor: Actor;
  holder: KeyHolder;
  request: Request;
  params: Record<string, string>;
  query: Query;
  body: Body;
  /** The body as it was sent, for what depends on the very words. */
  rawBody: unknown;
}

/** One call of the API: its contract, from which the documentation is made, and its handler. */
export interface Endpoint<Query = unknown, Body = unknown> {
  method: "GET" | "POST";
  /** As OpenAPI writes it, such as `/api/queue/{requestId}`. */
  path: string;
  scope: Scope;
  summary: string;
  description?: string;
  query?: z.ZodType<Query>;
  body?: z.ZodType<Body>;
  /** An empty body will do. */
  bodyOptional?: boolean;
  headers?: { name: string; description: string }[];
  /** The answer of success. */
  answer: { status: 200 | 201 | 202; schema: z.ZodType };
  /** Codes of the problems that this call, beyond those of every call, may answer with. */
  problems?: string[];
  /** Whether it makes Berth connect to addresses that a person chose: a smaller budget. */
  reachesOut?: boolean;
  handle(call: Call<Query, Body>): Promise<unknown>;
}

/** Keeps the types of query and body together with the handler that uses them. */
export function endpoint<Query, Body>(declared: Endpoint<Query, Body>): Endpoint {
  return declared as unknown as Endpoint;
}
