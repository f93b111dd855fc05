import { type LoaderFunctionArgs, redirect } from "@remix-run/node";
import { requireDesk } from "#app/web/session.server.ts";

/** Everybody begins where their work is. */
export async function loader(args: LoaderFunctionArgs) {
  const { visitor } = await requireDesk(args);
  return redirect(visitor.role === "supervisor" ? "/desk/dashboard" : "/desk/queue");
}
