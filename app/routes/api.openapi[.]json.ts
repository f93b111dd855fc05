import { openApiDocument } from "#app/web/openapi.server.ts";

export const loader = () => Response.json(openApiDocument());
