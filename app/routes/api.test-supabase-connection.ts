import { serve } from "#app/web/api/serve.server.ts";
import { testSupabaseConnection } from "#app/web/api/endpoints/connection.ts";

const served = serve(testSupabaseConnection);
export const loader = served.loader;
export const action = served.action;
