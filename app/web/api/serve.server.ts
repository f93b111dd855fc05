import type { ActionFunctionArgs, LoaderFunctionArgs } from "@remix-run/node";
import {
  InvalidKeyError,
  identifyKey,
  type KeyHolder,
  requireScope,
  requireStaff,
} from "#app/domain/identity/index.server.ts";
import { type Actor, asActor } from "#db/index.ts";
import { parseWith, readJson, readQuery } from "./body.ts";
import type { Endpoint } from "./endpoint.ts";
import { MethodNotAllowedError, NothingHereError } from "./errors.ts";
import { EACH_KEY, EACH_STRANGER, EACH_TEST, spend } from "./limits.ts";
import { isExpected, problemResponse } from "./problem.ts";

type Args = LoaderFunctionArgs | ActionFunctionArgs;

/**
 * The loader and action of a route that serves these endpoints: who asks, whether the key may, how
 * often, with what; then the one domain call; every failure as a problem.
 */
export function serve(...endpoints: Endpoint[]) {
  const answer = async (args: Args): Promise<Response> => {
    const { runtime, correlationId } = args.context;
    try {
      return await dispatch(endpoints, args);
    } catch (error) {
      if (!isExpected(error))
        runtime.log.error({ err: error, correlationId }, "an API call failed");
      return problemResponse(error, correlationId);
    }
  };
  return { loader: answer, action: answer };
}

/** What lies below /api and is no endpoint: a problem, not a page. */
export function serveNothing() {
  const answer = async ({ context }: Args) =>
    problemResponse(new NothingHereError(), context.correlationId);
  return { loader: answer, action: answer };
}

async function dispatch(endpoints: Endpoint[], { request, params, context }: Args) {
  const { services } = context.runtime;
  // Who asks for the headers alone gets those of the whole answer.
  const method = request.method === "HEAD" ? "GET" : request.method;
  const endpoint = endpoints.find((candidate) => candidate.method === method);
  if (!endpoint) throw new MethodNotAllowedError(endpoints.map(({ method }) => method));
  const { holder, actor } = await identify(request, context);
  await spend(services.db, actor, EACH_KEY, holder.keyId);
  // A key is worth no more than the person who owns it.
  await asActor(services.db, actor, (tx) => requireStaff(tx, holder.userId));
  requireScope(holder, endpoint.scope);
  if (endpoint.reachesOut) await spend(services.db, actor, EACH_TEST, holder.keyId);
  const url = new URL(request.url);
  const rawQuery = readQuery(url);
  const query = endpoint.query ? parseWith(endpoint.query, rawQuery) : rawQuery;
  const rawBody = method === "GET" ? {} : await readJson(request);
  const body =
    endpoint.body && !(endpoint.bodyOptional && isEmptyObject(rawBody))
      ? parseWith(endpoint.body, rawBody)
      : undefined;
  const answer = await endpoint.handle({
    services,
    actor,
    holder,
    request,
    params: params as Record<string, string>,
    query,
    body,
    rawBody,
  });
  return new Response(JSON.stringify(answer), {
    status: endpoint.answer.status,
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
  });
}

const isEmptyObject = (value: unknown) =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).length === 0;

/** Guesses at keys are counted per address, so that they cost the one who guesses. */
async function identify(
  request: Request,
  { runtime, correlationId, clientAddress }: Args["context"],
): Promise<{ holder: KeyHolder; actor: Actor }> {
  const stranger: Actor = { kind: "api", id: "unknown", origin: clientAddress, correlationId };
  const [, key] = /^bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  try {
    if (key === undefined) throw new InvalidKeyError();
    const holder = await identifyKey(runtime.auth, key);
    const origin = `${clientAddress} key ${holder.keyId}`;
    return { holder, actor: { kind: "api", id: holder.userId, origin, correlationId } };
  } catch (error) {
    await spend(runtime.services.db, stranger, EACH_STRANGER, clientAddress);
    throw error;
  }
}
