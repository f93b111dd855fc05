export {
  type DeskAuditFilter,
  type DeskAuditRecord,
  deskAuditFilter,
  knownActions,
  listDeskAudit,
} from "./desk-list.ts";
export { type AuditFilter, type AuditRecord, auditFilter, listAudit } from "./queries.ts";
export { type AuditEntry, recordAudit } from "./record.ts";
