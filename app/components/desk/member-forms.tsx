import { Form } from "@remix-run/react";
import type { StaffMember } from "#app/domain/staff/index.server.ts";
import type { FieldErrors } from "#app/web/forms.server.ts";
import { ConfirmButton } from "../confirm.tsx";
import { ErrorSummary } from "../error-summary.tsx";
import { SubmitButton } from "../form.tsx";
import { Panel } from "../ui.tsx";
import { CapacityField, RoleField } from "./staff-fields.tsx";

/** Changes what somebody may do and how much they carry. */
export function MemberForm(props: {
  member: StaffMember;
  isMe: boolean;
  mostCapacity: number;
  errors: FieldErrors;
}) {
  const { member, isMe, mostCapacity, errors } = props;
  return (
    <Form method="post" noValidate>
      <ErrorSummary fields={errors} />
      <input type="hidden" name="shownRole" value={member.role} />
      <input type="hidden" name="shownCapacity" value={member.capacity} />
      <RoleField
        value={member.role}
        error={errors.role}
        {...(isMe ? { whyNot: "Your own role is changed by somebody else." } : {})}
      />
      <CapacityField value={String(member.capacity)} most={mostCapacity} error={errors.capacity} />
      <SubmitButton name="intent" value="save" pendingText="Saving …">
        Save
      </SubmitButton>
      {isMe ? null : (
        <p className="mt-2 text-quiet">
          A new role holds at once. It signs {member.name} out everywhere.
        </p>
      )}
    </Form>
  );
}

/** What else can be done about somebody. */
export function MemberActs({ member, isMe }: { member: StaffMember; isMe: boolean }) {
  return (
    <>
      {member.state === "invited" ? (
        <Panel title="Invitation">
          <p>
            {member.name} has not chosen a password yet. The link in the invitation works once,
            within 7 days.
          </p>
          <Form method="post" className="mt-3">
            <SubmitButton
              variant="secondary"
              name="intent"
              value="invite-again"
              pendingText="Sending …"
            >
              Send the invitation again
            </SubmitButton>
          </Form>
        </Panel>
      ) : null}
      {member.state === "deactivated" ? <Reactivate member={member} /> : null}
      {member.state === "deactivated" ? null : <Deactivate member={member} isMe={isMe} />}
    </>
  );
}

function Reactivate({ member: { name, role } }: { member: StaffMember }) {
  return (
    <Panel title="Reactivate">
      <p>
        {name} comes back as {role}, with the password and the API keys they had, off duty.
      </p>
      <Form method="post" className="mt-3">
        <SubmitButton name="intent" value="reactivate" pendingText="Reactivating …">
          Reactivate {name}
        </SubmitButton>
      </Form>
    </Panel>
  );
}

function Deactivate({ member: { name }, isMe }: { member: StaffMember; isMe: boolean }) {
  if (isMe) {
    return (
      <Panel title="Deactivate">
        <p className="text-quiet">
          You cannot deactivate yourself. Another supervisor or operator can.
        </p>
      </Panel>
    );
  }
  return (
    <Panel title="Deactivate">
      <p>
        {name} is signed out at once, and their API keys stop working. What they are preparing goes
        back to the queue.
      </p>
      <Form method="post" className="mt-3">
        <ConfirmButton
          variant="danger"
          label={`Deactivate ${name}`}
          title={`Deactivate ${name}?`}
          confirmLabel="Deactivate now"
          name="intent"
          value="deactivate"
        >
          <p>
            They are signed out everywhere and can do nothing on the desk from this moment. You can
            reactivate them later.
          </p>
        </ConfirmButton>
      </Form>
    </Panel>
  );
}
