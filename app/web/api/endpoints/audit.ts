import { auditFilter, listAudit } from "#app/domain/audit/index.server.ts";
import { asActor } from "#db/index.ts";
import { auditPage } from "../answers.ts";
import { endpoint } from "../endpoint.ts";

export const readAudit = endpoint({
  method: "GET",
  path: "/api/audit",
  scope: "audit:read",
  summary: "Read the audit record, newest first",
  query: auditFilter,
  answer: { status: 200, schema: auditPage },
  handle: ({ services, actor, query }) => asActor(services.db, actor, (tx) => listAudit(tx, query)),
});
