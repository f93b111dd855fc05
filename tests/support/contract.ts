import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Answer, Api } from "./client.ts";

export interface Contract {
  document: Record<string, unknown>;
  /** Every call: its method, its path as OpenAPI writes it, the scope that it needs. */
  calls: { method: string; path: string; scope: string }[];
  /** The same API; an answer that its description does not allow is an error of the test. */
  checked(api: Api): Api;
  /** `METHOD /path status` of what was answered and checked so far. */
  seen: Set<string>;
}

interface Operation {
  security: { key: string[] }[];
  responses: Record<string, { content: Record<string, { schema: object }> }>;
}

/** Reads the API's own description, to hold its answers against it. */
export async function readContract(api: Api): Promise<Contract> {
  const { body } = await api.as("")("GET", "/api/openapi.json");
  const document = body as {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: { Problem: object } };
  };
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const isProblem = ajv.compile(document.components.schemas.Problem);
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      scope: operation.security[0]?.key[0] ?? "",
      pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
      good: Object.entries(operation.responses)
        .filter(([status]) => status !== "default")
        .map(([status, { content }]) => ({
          status: Number(status),
          matches: ajv.compile(content["application/json"]?.schema ?? false),
        })),
    })),
  );
  const seen = new Set<string>();

  function check(method: string, at: string, answer: Answer): void {
    const path = at.split("?", 1)[0] ?? "";
    const operation = operations.find((one) => one.method === method && one.pattern.test(path));
    const require = (matches: ValidateFunction) => {
      if (matches(answer.body)) return;
      const problems = ajv.errorsText(matches.errors, { separator: "\n" });
      throw new Error(
        `${method} ${at} answered ${answer.status} with what is not described:\n${problems}\n${JSON.stringify(answer.body)}`,
      );
    };
    const type = answer.headers.get("content-type")?.split(";", 1)[0];
    if (answer.status < 400) {
      const described = operation?.good.find(({ status }) => status === answer.status);
      if (!operation || !described || type !== "application/json") {
        throw new Error(`${method} ${at} answered ${answer.status} as ${type}: not described.`);
      }
      require(described.matches);
      seen.add(`${method} ${operation.path} ${answer.status}`);
      return;
    }
    if (type !== "application/problem+json" || answer.body.status !== answer.status) {
      throw new Error(`${method} ${at} answered ${answer.status} as ${type}: no problem.`);
    }
    require(isProblem);
  }

  const checked = (inner: Api): Api =>
    Object.assign(
      async (...call: Parameters<Api>) => {
        const answer = await inner(...call);
        check(call[0], call[1], answer);
        return answer;
      },
      { as: (key: string) => checked(inner.as(key)) },
    );
  return {
    document: body,
    calls: operations.map(({ method, path, scope }) => ({ method, path, scope })),
    checked,
    seen,
  };
}
