import { type LoaderFunctionArgs, redirect } from "@remix-run/node";
import { firstOpenStep } from "#app/domain/onboarding/index.server.ts";
import { currentDraft } from "#app/web/wizard.server.ts";

/** Goes on where it was left, on whatever device. */
export async function loader(args: LoaderFunctionArgs) {
  const draft = (await currentDraft(args))?.draft;
  const { catalog } = args.context.runtime.services;
  return redirect(`/sign-up/${firstOpenStep(catalog, draft?.answers ?? {})}`);
}
