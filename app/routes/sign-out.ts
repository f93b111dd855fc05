import { type ActionFunctionArgs, redirect } from "@remix-run/node";
import { signOut } from "#app/domain/identity/index.server.ts";

/** Only a press of the button signs out: a link elsewhere must not. */
export function loader() {
  return redirect("/");
}

export async function action({ request, context }: ActionFunctionArgs) {
  const headers = await signOut(context.runtime.auth, request.headers);
  return redirect("/", { status: 303, headers });
}
