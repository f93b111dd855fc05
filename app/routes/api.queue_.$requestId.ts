import { serve } from "#app/web/api/serve.server.ts";
import { getRequest } from "#app/web/api/endpoints/queue.ts";

const served = serve(getRequest);
export const loader = served.loader;
export const action = served.action;
