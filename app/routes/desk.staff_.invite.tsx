import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import {
  invitationInput,
  inviteMember,
  MANAGERS,
  MOST_CAPACITY,
} from "#app/domain/staff/index.server.ts";
import { attempt, type PageProblem, readForm } from "#app/web/forms.server.ts";
import { requireDesk } from "#app/web/session.server.ts";
import { parseForm, staffDeps } from "#app/web/staff.server.ts";
import { CapacityField, RoleField } from "../components/desk/staff-fields.tsx";
import { ErrorSummary, Field, SubmitButton } from "../components/form.tsx";
import { ProblemNotice } from "../components/notice.tsx";
import { PageHeader } from "../components/ui.tsx";

export const meta: MetaFunction = () => [{ title: "Invite somebody · Berth" }];

export async function loader(args: LoaderFunctionArgs) {
  await requireDesk(args, MANAGERS);
  return { mostCapacity: MOST_CAPACITY };
}

export async function action(args: ActionFunctionArgs) {
  const { actor } = await requireDesk(args, MANAGERS);
  const form = await readForm(args.request);
  const parsed = parseForm(form, invitationInput);
  if (parsed.errors) return refuse(form, 422, { errors: parsed.errors });
  const outcome = await attempt(args.context, () =>
    inviteMember(staffDeps(args, actor), parsed.value),
  );
  if (!outcome.done) return refuse(form, outcome.status, { problem: outcome.problem });
  const { userId, hasPassword } = outcome.result;
  const done = hasPassword ? "joined" : "invited";
  return redirect(`/desk/staff/${encodeURIComponent(userId)}?done=${done}`, 303);
}

/** What was refused, and what was written. */
function refuse(
  form: FormData,
  status: number,
  why: { errors?: Record<string, string[]>; problem?: PageProblem },
) {
  const written = (name: string) => String(form.get(name) ?? "").slice(0, 500);
  const values = {
    name: written("name"),
    email: written("email"),
    role: written("role"),
    capacity: written("capacity"),
  };
  return data({ errors: {}, problem: null, ...why, values }, status);
}

const EMPTY = { name: "", email: "", role: "admin", capacity: "10" };

export default function Invite() {
  const { mostCapacity } = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const values = answer?.values ?? EMPTY;
  const errors: Record<string, string[]> = answer?.errors ?? {};
  return (
    <div className="max-w-160">
      <PageHeader title="Invite somebody" back={{ to: "/desk/staff", label: "Staff" }}>
        <p>They get a mail with a link to choose a password. It works once, within 7 days.</p>
      </PageHeader>
      <Form method="post" noValidate>
        <ErrorSummary
          errors={Object.entries(errors).flatMap(([id, texts]) =>
            texts.map((text) => ({ id, text })),
          )}
        />
        {answer?.problem ? <ProblemNotice problem={answer.problem} /> : null}
        <Field
          label="Name"
          name="name"
          autoComplete="off"
          required
          hint="As customers and colleagues are to see it."
          defaultValue={values.name}
          error={errors.name}
        />
        <Field
          label="E-mail address"
          name="email"
          type="email"
          autoComplete="off"
          required
          hint="If it has an account already, that account joins the staff."
          defaultValue={values.email}
          error={errors.email}
        />
        <RoleField value={values.role} error={errors.role} />
        <CapacityField value={values.capacity} most={mostCapacity} error={errors.capacity} />
        <SubmitButton pendingText="Inviting …">Send the invitation</SubmitButton>
      </Form>
    </div>
  );
}
