import { serve } from "#app/web/api/serve.server.ts";
import { cancel } from "#app/web/api/endpoints/queue.ts";

const served = serve(cancel);
export const loader = served.loader;
export const action = served.action;
