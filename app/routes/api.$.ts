import { serveNothing } from "#app/web/api/serve.server.ts";

const served = serveNothing();
export const loader = served.loader;
export const action = served.action;
