import { BerthError } from "#app/platform/errors.ts";

export class StaffNotFoundError extends BerthError {
  constructor() {
    super("staff_not_found", "This person is not on the staff.", {
      fix: "Look at the list again; it may have changed.",
    });
  }
}

/** Nobody takes rights from, or gives rights to, themselves. */
export class OwnAccountError extends BerthError {
  constructor(act: string) {
    super("own_account", `You cannot ${act} yourself.`, {
      fix: "Ask another supervisor or operator to do it.",
    });
  }
}

/** Somebody else changed the role or the capacity after they were shown. */
export class MemberChangedError extends BerthError {
  constructor({ name, role, capacity }: { name: string; role: string; capacity: number }) {
    super("member_changed", `${name} was changed while the page was open. Nothing was saved.`, {
      found: `${role}, with a capacity of ${capacity}`,
      fix: "If your change still makes sense, make it again.",
    });
  }
}

/** Without a supervisor nobody could change priorities or switch templates. */
export class LastSupervisorError extends BerthError {
  constructor(name: string) {
    super("last_supervisor", `${name} is the only active supervisor.`, {
      needed: "at least one active supervisor",
      fix: "Make somebody else a supervisor first.",
    });
  }
}

/** There is nothing to invite somebody to who is off the staff, or in already. */
export class InvitationNotNeededError extends BerthError {
  constructor(name: string, state: "active" | "deactivated") {
    super(
      "invitation_not_needed",
      state === "active"
        ? `${name} has chosen a password already.`
        : `${name} is not on the staff at present.`,
      {
        fix:
          state === "active"
            ? "Whoever forgot the password can have a new link mailed from the sign-in page."
            : "Reactivate this person first.",
      },
    );
  }
}
