import { BerthError } from "#app/platform/errors.ts";

/** Another live backend has this project. One project serves one customer. */
export class ProjectInUseError extends BerthError {
  constructor(ref: string) {
    super("project_in_use", "This Supabase project already serves another backend of Berth.", {
      found: ref,
      needed: "a project that no other backend uses",
      fix: "Create a new project for this customer, and give its credentials.",
    });
  }
}
