import { readAudit } from "#app/web/api/endpoints/audit.ts";
import { serve } from "#app/web/api/serve.server.ts";

const served = serve(readAudit);
export const loader = served.loader;
export const action = served.action;
