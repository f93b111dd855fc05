import type { ActionFunctionArgs, LoaderFunctionArgs } from "@remix-run/node";
import { requireDesk } from "#app/web/session.server.ts";

/** Addresses below the desk that nothing answers: told within its frame, to who may see it. */
export async function loader(args: LoaderFunctionArgs): Promise<never> {
  await requireDesk(args);
  throw new Response(null, { status: 404 });
}

export function action(args: ActionFunctionArgs): Promise<never> {
  return loader(args);
}

/** Makes this a page: its error is shown by desk.tsx. */
export default function Nothing() {
  return null;
}
