export {
  changeMember,
  deactivateMember,
  MANAGERS,
  reactivateMember,
  type StaffDeps,
  setOnDuty,
} from "./commands.ts";
export * from "./errors.ts";
export { admitMember, inviteMember, resendInvitation } from "./invite.ts";
export { listStaff, type StaffMember, type StaffState } from "./list.ts";
export { invitationInput, MOST_CAPACITY, memberInput } from "./schema.ts";
