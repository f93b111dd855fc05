import { testSupabaseConnection } from "#app/web/api/endpoints/connection.ts";
import { serve } from "#app/web/api/serve.server.ts";

const served = serve(testSupabaseConnection);
export const loader = served.loader;
export const action = served.action;
