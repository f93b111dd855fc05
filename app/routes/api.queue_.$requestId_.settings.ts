import { correct } from "#app/web/api/endpoints/queue.ts";
import { serve } from "#app/web/api/serve.server.ts";

const served = serve(correct);
export const loader = served.loader;
export const action = served.action;
