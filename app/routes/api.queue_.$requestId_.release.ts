import { serve } from "#app/web/api/serve.server.ts";
import { release } from "#app/web/api/endpoints/queue.ts";

const served = serve(release);
export const loader = served.loader;
export const action = served.action;
