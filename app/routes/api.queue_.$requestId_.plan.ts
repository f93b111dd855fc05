import { plan } from "#app/web/api/endpoints/plan.ts";
import { serve } from "#app/web/api/serve.server.ts";

const served = serve(plan);
export const loader = served.loader;
export const action = served.action;
