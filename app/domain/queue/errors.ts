import { BerthError } from "#app/platform/errors.ts";
import type { RequestStatus } from "./states.ts";

export class RequestNotFoundError extends BerthError {
  constructor() {
    super("request_not_found", "There is no such request.");
  }
}

/** The request is not in a state from which this act is possible. */
export class WrongStateError extends BerthError {
  constructor(status: RequestStatus, act: string, possible: readonly RequestStatus[]) {
    super("request_wrong_state", `This request is ${say(status)}, so you cannot ${act} it.`, {
      found: status,
      needed: possible.join(" or "),
      fix: "Look at the request again; somebody may have moved it on.",
    });
  }
}

/** Somebody else has it; says who, and since when. */
export class HeldByOtherError extends BerthError {
  readonly holder: { id: string; name: string };
  readonly since: Date | null;
  constructor(holder: { id: string; name: string }, since: Date | null = null) {
    super("request_held", `${holder.name} has claimed this request.`, {
      found: holder.name,
      fix: "Take another one from the queue, or ask a supervisor to go on with this one.",
    });
    this.holder = holder;
    this.since = since;
  }
}

/** The claim ended by itself before this act. */
export class ClaimExpiredError extends BerthError {
  constructor() {
    super("claim_expired", "Your claim on this request has ended.", {
      fix: "Claim it again, if nobody else has.",
    });
  }
}

/** Somebody changed the request between reading and writing. */
export class RequestChangedError extends BerthError {
  constructor() {
    super("request_changed", "The request was changed at the same moment.", {
      retryable: true,
      fix: "Look at it again, then repeat what you meant to do.",
    });
  }
}

const say = (status: RequestStatus) => status.replaceAll("_", " ");
