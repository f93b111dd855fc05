import { rehearse } from "#app/web/api/endpoints/rehearsal.ts";
import { serve } from "#app/web/api/serve.server.ts";

const served = serve(rehearse);
export const loader = served.loader;
export const action = served.action;
