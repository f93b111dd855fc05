import { expect, test } from "vitest";
import { z } from "zod";
import { readDocument } from "./document.ts";

const customer = z.object({
  email: z.email().describe("Where mails go."),
  plan: z.enum(["starter", "growth"]),
  priority: z.number().int().min(1).max(4).optional(),
  lines: z.array(z.object({ sku: z.string().max(20) })),
});

const document = {
  openapi: "3.1.0",
  info: { title: "Berth API", version: "1.2.3", description: "First.\n\nSecond." },
  paths: {
    "/api/customers": {
      parameters: [{ name: "trace", in: "header", schema: { type: "string" } }],
      post: {
        summary: "Make a customer",
        security: [{ apiKey: ["customers:write"] }],
        requestBody: {
          content: {
            "application/json": {
              schema: z.toJSONSchema(customer),
              example: { email: "a@b.test" },
            },
          },
        },
        responses: {
          201: {
            description: "Made.",
            content: { "application/json": { schema: { $ref: "#/components/schemas/Node" } } },
          },
        },
      },
    },
  },
  "x-problems": [{ code: "not_found", status: 404, title: "Not found" }],
  components: {
    schemas: {
      Node: {
        type: "object",
        required: ["id"],
        properties: {
          id: { type: "string", format: "uuid" },
          next: { anyOf: [{ $ref: "#/components/schemas/Node" }, { type: "null" }] },
        },
      },
    },
  },
};

test("an operation shows address, scope, fields and an example", () => {
  const { title, version, description, operations, problems } = readDocument(document);
  expect(problems).toEqual([{ code: "not_found", status: "404", text: "Not found" }]);
  expect({ title, version, description }).toEqual({
    title: "Berth API",
    version: "1.2.3",
    description: ["First.", "Second."],
  });
  const [operation] = operations;
  expect(operation).toMatchObject({
    method: "POST",
    path: "/api/customers",
    title: "Make a customer",
    scopes: ["customers:write"],
    parameters: [{ name: "trace", kind: "string, in the header", required: false }],
  });
  expect(operation?.body?.example).toBe('{\n  "email": "a@b.test"\n}');
  expect(operation?.body?.fields).toMatchObject([
    { name: "email", kind: "string (email)", required: true, description: "Where mails go." },
    { name: "plan", kind: "one of starter, growth" },
    { name: "priority", kind: "integer, from 1, to 4", required: false },
    {
      name: "lines",
      kind: "list of object",
      fields: [{ name: "sku", kind: "string, at most 20 characters" }],
    },
  ]);
});

test("references are followed and cycles end", () => {
  const answer = readDocument(document).operations[0]?.answers[0];
  expect(answer).toMatchObject({ status: "201", description: "Made." });
  expect(answer?.fields[0]).toMatchObject({ name: "id", kind: "string (uuid)", required: true });
  expect(answer?.fields[1]).toMatchObject({ name: "next", kind: "object or null" });
  expect(JSON.stringify(answer).length).toBeLessThan(5_000);
});

test("a document that lacks everything shows nothing", () => {
  expect(readDocument({})).toMatchObject({ title: "API", operations: [] });
  expect(readDocument({ paths: { "/x": { get: {} } } }).operations[0]).toMatchObject({
    title: "GET /x",
    body: null,
    answers: [],
  });
});
