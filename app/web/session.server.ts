import {
  type ActionFunctionArgs,
  type AppLoadContext,
  type LoaderFunctionArgs,
  redirect,
} from "@remix-run/node";
import { readVisitor, type StaffRole, type Visitor } from "#app/domain/identity/index.server.ts";
import { type Actor, asActor, type TransactionOptions, type Tx } from "#db/index.ts";

type Args = Pick<LoaderFunctionArgs | ActionFunctionArgs, "request" | "context">;

/** A member of the staff who is signed in. */
export type StaffVisitor = Visitor & { role: StaffRole };

/** Several loaders answer one request; the session is read once. */
const visitors = new WeakMap<AppLoadContext, Promise<Visitor | null>>();

/** Who is signed in, if anybody. */
export function getVisitor({ request, context }: Args): Promise<Visitor | null> {
  const known = visitors.get(context);
  if (known) return known;
  const { auth, services } = context.runtime;
  const visitor = readVisitor({ auth, db: services.db }, request.headers);
  visitors.set(context, visitor);
  return visitor;
}

/** Who acts for a visitor: as staff on the desk's pages, as a customer on its own. */
export function actorOf(
  { context }: Pick<Args, "context">,
  visitor: Pick<Visitor, "userId">,
  kind: "customer" | "staff",
): Actor {
  return {
    kind,
    id: visitor.userId,
    origin: context.clientAddress,
    correlationId: context.correlationId,
  };
}

/** One transaction of Berth's own database, for a page's reads or for one command of the domain. */
export function inTx<T>(
  { context }: Pick<Args, "context">,
  actor: Actor,
  work: (tx: Tx) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  return asActor(context.runtime.services.db, actor, work, options);
}

/**
 * The customer's side: anybody who is signed in, seeing its own.
 * @throws a redirect to the sign-in page, which leads back here
 */
export async function requireCustomer(args: Args): Promise<{ visitor: Visitor; actor: Actor }> {
  const visitor = await getVisitor(args);
  if (!visitor) throw toSignIn(args.request);
  return { visitor, actor: actorOf(args, visitor, "customer") };
}

/**
 * The desk's side. With `roles`, one of these.
 * @throws a redirect to the sign-in page; 404 for who may not know that the page is there
 */
export async function requireDesk(
  args: Args,
  roles?: readonly StaffRole[],
): Promise<{ visitor: StaffVisitor; actor: Actor }> {
  const visitor = await getVisitor(args);
  if (!visitor) throw toSignIn(args.request);
  if (visitor.role === null || (roles && !roles.includes(visitor.role))) {
    args.context.runtime.log.warn(
      { userId: visitor.userId, correlationId: args.context.correlationId },
      "a page of the desk was refused",
    );
    throw new Response(null, { status: 404 });
  }
  return {
    visitor: { ...visitor, role: visitor.role },
    actor: actorOf(args, visitor, "staff"),
  };
}

/** A redirect to the sign-in page, which leads back to this one. */
export function toSignIn(request: Request): Response {
  const { pathname, search } = new URL(request.url);
  // Single fetch asks for /page.data; the person wants /page. What was posted is not repeated.
  const page = pathname.replace(/\.data$/, "").replace(/^\/_root$/, "/");
  const query = new URLSearchParams(search);
  query.delete("_routes");
  const back = `${page}${query.size > 0 ? `?${query}` : ""}`;
  return redirect(`/sign-in?${new URLSearchParams({ back })}`);
}

/** Where a redirect may lead: a path of ours. Anything else, and what pretends to be one, is `/`. */
export function safePath(given: unknown, otherwise = "/"): string {
  if (typeof given !== "string" || !/^\/(?![/\\])[\x21-\x7e]*$/.test(given)) return otherwise;
  if (given.includes("\\")) return otherwise;
  try {
    const url = new URL(given, "http://berth.invalid");
    // What climbs, as in /a/..//host, may come out as an address of its own.
    if (url.host !== "berth.invalid" || url.pathname.startsWith("//")) return otherwise;
    return `${url.pathname}${url.search}`;
  } catch {
    return otherwise;
  }
}
