import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { Form, Link, useLoaderData } from "@remix-run/react";
import { AccountExistsError } from "#app/domain/identity/index.server.ts";
import {
  invitationInput,
  inviteMember,
  listStaff,
  MANAGERS,
  MOST_CAPACITY,
} from "#app/domain/staff/index.server.ts";
import {
  attempt,
  echo,
  type FieldErrors,
  type PageProblem,
  parseForm,
  readForm,
} from "#app/web/forms.server.ts";
import { inTx, requireDesk } from "#app/web/session.server.ts";
import { staffDeps } from "#app/web/staff.server.ts";
import { CapacityField, RoleField } from "../components/desk/staff-fields.tsx";
import { ErrorSummary } from "../components/error-summary.tsx";
import { Field, SubmitButton } from "../components/form.tsx";
import { ProblemNotice } from "../components/notice.tsx";
import { PageHeader } from "../components/ui.tsx";
import { useAnswer } from "../components/use-answer.ts";

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
  if (!outcome.done) {
    const { error, status, problem } = outcome;
    if (!(error instanceof AccountExistsError)) return refuse(form, status, { problem });
    const email = parsed.value.email.toLowerCase();
    const members = await inTx(args, actor, (tx) => listStaff(tx));
    const known = members.find((member) => member.email.toLowerCase() === email) ?? null;
    return refuse(form, status, { errors: { email: [problem.text] }, known });
  }
  const { userId, hasPassword } = outcome.result;
  const done = hasPassword ? "joined" : "invited";
  return redirect(`/desk/staff/${encodeURIComponent(userId)}?done=${done}`, 303);
}

/** What was refused, and what was written. */
function refuse(
  form: FormData,
  status: number,
  why: {
    errors?: FieldErrors;
    problem?: PageProblem;
    /** Who has this address on the staff already. */
    known?: { userId: string; name: string } | null;
  },
) {
  const values = echo(form, ["name", "email", "role", "capacity"]);
  const known = why.known ? { userId: why.known.userId, name: why.known.name } : null;
  return data({ errors: {}, problem: null, ...why, known, values }, status);
}

const EMPTY = { name: "", email: "", role: "admin", capacity: "10" };

export default function Invite() {
  const { mostCapacity } = useLoaderData<typeof loader>();
  const answer = useAnswer<typeof action>();
  const values = answer?.values ?? EMPTY;
  const errors: FieldErrors = answer?.errors ?? {};
  return (
    <div className="max-w-160">
      <PageHeader title="Invite somebody" back={{ to: "/desk/staff", label: "Staff" }}>
        <p>They get a mail with a link to choose a password. It works once, within 7 days.</p>
      </PageHeader>
      <Form method="post" noValidate>
        <ErrorSummary fields={errors} />
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
        >
          {answer?.known ? (
            <p className="mt-1">
              <Link to={`/desk/staff/${encodeURIComponent(answer.known.userId)}`} className="link">
                Open the page of {answer.known.name}
              </Link>
            </p>
          ) : null}
        </Field>
        <RoleField value={values.role} error={errors.role} />
        <CapacityField value={values.capacity} most={mostCapacity} error={errors.capacity} />
        <SubmitButton pendingText="Inviting …">Send the invitation</SubmitButton>
      </Form>
    </div>
  );
}
