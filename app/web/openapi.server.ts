import { z } from "zod";
import { SCOPES } from "#app/domain/identity/index.server.ts";
import { MAX_BODY_BYTES } from "./api/body.ts";
import type { Endpoint } from "./api/endpoint.ts";
import { ENDPOINTS } from "./api/endpoints/index.ts";
import { EACH_KEY, EACH_STRANGER, EACH_TEST } from "./api/limits.ts";
import { PROBLEMS } from "./api/problem.ts";

const EACH_CALL = ["key_invalid", "not_staff", "scope_missing", "fields_invalid", "rate_limited"];

const problem = {
  type: "object",
  description: "RFC 9457. `type` ends in a stable code.",
  required: ["type", "title", "status", "detail", "instance"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    instance: { type: "string" },
    found: { type: "string" },
    needed: { type: "string" },
    fix: { type: "string" },
    plan: { type: "object", description: "With `plan_changed`: the plan as it is now." },
    errors: {
      type: "array",
      items: {
        type: "object",
        properties: { field: { type: "string" }, message: { type: "string" } },
      },
    },
  },
};

const jsonSchema = (schema: z.ZodType, io: "input" | "output") => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    target: "draft-2020-12",
  });
  return rest;
};

type Parameter = Record<string, unknown>;

function parametersOf({ path, query, headers = [] }: Endpoint): Parameter[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string", format: "uuid" },
  }));
  const asked = jsonSchema(query ?? z.object({}), "input");
  const required = new Set(asked.required ?? []);
  const inQuery = Object.entries(asked.properties ?? {}).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.has(name),
    schema,
  }));
  const inHeader = headers.map(({ name, description }) => ({
    name,
    in: "header",
    required: false,
    description,
    schema: { type: "string" },
  }));
  return [...inPath, ...inQuery, ...inHeader];
}

function operationOf(endpoint: Endpoint) {
  const { summary, description, scope, body, bodyOptional, answer, problems = [] } = endpoint;
  return {
    summary,
    ...(description && { description }),
    security: [{ key: [scope] }],
    parameters: parametersOf(endpoint),
    ...(body && {
      requestBody: {
        required: !bodyOptional,
        content: { "application/json": { schema: jsonSchema(body, "input") } },
      },
    }),
    responses: {
      [answer.status]: {
        description: "Done.",
        content: { "application/json": { schema: jsonSchema(answer.schema, "output") } },
      },
      default: {
        description: `A problem, with one of these codes: ${[...EACH_CALL, ...problems].join(", ")}.`,
        content: {
          "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
        },
      },
    },
  };
}

const INTRODUCTION = `Send a key in \`Authorization: Bearer …\`. Bodies are JSON of at most ${MAX_BODY_BYTES / 1024} KiB; unknown fields are refused. Times are ISO 8601 in UTC.

A key may make ${EACH_KEY.calls} calls a minute, and ${EACH_TEST.calls} of those that connect to a project. Calls without a valid key are limited to ${EACH_STRANGER.calls} a minute per address. Beyond that: 429 with \`Retry-After\`.

Scopes: ${Object.entries(SCOPES)
  .map(([scope, meaning]) => `\`${scope}\` ${meaning}`)
  .join(" ")}`;

/** The API's description (OpenAPI 3.1), made from the very schemas that judge each call. */
export function openApiDocument() {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of ENDPOINTS) {
    paths[endpoint.path] = {
      ...paths[endpoint.path],
      [endpoint.method.toLowerCase()]: operationOf(endpoint),
    };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Berth API", version: "1.0.0", description: INTRODUCTION },
    paths,
    "x-problems": PROBLEMS,
    components: {
      schemas: { Problem: problem },
      securitySchemes: { key: { type: "http", scheme: "bearer", description: "An API key." } },
    },
  };
}
