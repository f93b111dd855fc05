/**
 * Reads an OpenAPI 3.1 document into what the reference page shows. The document is our own, but
 * it is generated from schemas: what is missing is left out, and cycles are cut.
 */

/** A field of a body, an answer or an address. */
export interface Field {
  name: string;
  /** For example `string (email)`, `one of a, b` or `list of string`. */
  kind: string;
  required: boolean;
  description: string;
  fields: Field[];
}

export interface Answer {
  status: string;
  description: string;
  fields: Field[];
  example: string | null;
}

export interface Operation {
  id: string;
  method: string;
  path: string;
  title: string;
  description: string[];
  scopes: string[];
  parameters: Field[];
  body: { fields: Field[]; example: string | null } | null;
  answers: Answer[];
}

/** One kind of problem document; from the document's `x-problems`, a list of our own. */
export interface ProblemKind {
  code: string;
  status: string;
  text: string;
}

export interface Reference {
  title: string;
  version: string;
  description: string[];
  operations: Operation[];
  problems: ProblemKind[];
}

type Json = Record<string, unknown>;

const METHODS = ["get", "post", "put", "patch", "delete"] as const;
const MAX_DEPTH = 6;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const object = (value: unknown): Json => (isObject(value) ? value : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const paragraphs = (value: unknown) =>
  text(value)
    .split(/\n\s*\n/)
    .map((part) => part.trim())
    .filter((part) => part !== "");

class Reader {
  readonly #root: Json;

  constructor(root: Json) {
    this.#root = root;
  }

  /** Follows `$ref`s inside the document. */
  resolve(value: unknown): Json {
    let current = object(value);
    for (let hops = 0; typeof current.$ref === "string" && hops < 10; hops++) {
      const { $ref, ...beside } = current as Json & { $ref: string };
      let target: unknown = this.#root;
      for (const part of $ref.replace(/^#\//, "").split("/")) {
        target = object(target)[part.replaceAll("~1", "/").replaceAll("~0", "~")];
      }
      current = { ...object(target), ...beside };
    }
    return current;
  }

  kind(schema: Json): string {
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (Array.isArray(schema.enum)) {
      return `one of ${schema.enum.map((value) => String(value)).join(", ")}`;
    }
    const choices = list(schema.anyOf ?? schema.oneOf).map((choice) => this.resolve(choice));
    if (choices.length > 0) {
      return [...new Set(choices.map((choice) => this.kind(choice)))].join(" or ");
    }
    const type = list(schema.type).length > 0 ? list(schema.type).join(" or ") : text(schema.type);
    if (type === "array") return `list of ${this.kind(this.resolve(schema.items))}`;
    const format = text(schema.format);
    return [type || "any value", format && `(${format})`, this.limits(schema)]
      .filter((part) => part !== "")
      .join(" ");
  }

  limits(schema: Json): string {
    const { minLength, maxLength, minimum, maximum } = schema;
    const parts = [];
    if (typeof minLength === "number" && minLength > 1)
      parts.push(`at least ${minLength} characters`);
    if (typeof maxLength === "number") parts.push(`at most ${maxLength} characters`);
    if (typeof minimum === "number" && minimum > Number.MIN_SAFE_INTEGER)
      parts.push(`from ${minimum}`);
    if (typeof maximum === "number" && maximum < Number.MAX_SAFE_INTEGER)
      parts.push(`to ${maximum}`);
    return parts.length > 0 ? `, ${parts.join(", ")}` : "";
  }

  /** The object whose fields a schema shows: itself, its items', or its one choice that has any. */
  shape(schema: Json): Json | null {
    if (isObject(schema.properties)) return schema;
    if (schema.items !== undefined) return this.shape(this.resolve(schema.items));
    for (const choice of list(schema.anyOf ?? schema.oneOf ?? schema.allOf)) {
      const found = this.shape(this.resolve(choice));
      if (found) return found;
    }
    return null;
  }

  fields(schema: Json, depth = 0): Field[] {
    const shape = this.shape(schema);
    if (!shape || depth > MAX_DEPTH) return [];
    const required = new Set(list(shape.required));
    return Object.entries(object(shape.properties)).map(([name, value]) => {
      const field = this.resolve(value);
      return {
        name,
        kind: this.kind(field).replace(" ,", ","),
        required: required.has(name),
        description: text(field.description),
        fields: this.fields(field, depth + 1),
      };
    });
  }

  content(value: unknown): { fields: Field[]; example: string | null } {
    const media = Object.entries(object(value)).map(([, entry]) => object(entry))[0] ?? {};
    const schema = this.resolve(media.schema);
    const named = Object.values(object(media.examples)).map(
      (entry) => this.resolve(entry).value,
    )[0];
    const example = media.example ?? named ?? schema.example ?? list(schema.examples)[0];
    return {
      fields: this.fields(schema),
      example: example === undefined ? null : JSON.stringify(example, null, 2),
    };
  }

  operation(method: string, path: string, shared: unknown[], value: Json): Operation {
    const parameters = [...shared, ...list(value.parameters)].map((entry) => this.resolve(entry));
    const scopes = list(value.security ?? this.#root.security).flatMap((entry) =>
      Object.values(object(entry)).flatMap((names) => list(names).map(String)),
    );
    const body = this.resolve(value.requestBody);
    return {
      id: text(value.operationId) || `${method}${path.replace(/[^\w]+/g, "-")}`,
      method: method.toUpperCase(),
      path,
      title: text(value.summary) || `${method.toUpperCase()} ${path}`,
      description: paragraphs(value.description),
      scopes: [...new Set(scopes)],
      parameters: parameters.map((parameter) => ({
        name: text(parameter.name),
        kind: `${this.kind(this.resolve(parameter.schema)).replace(" ,", ",")}, in the ${text(parameter.in)}`,
        required: parameter.required === true,
        description: text(parameter.description),
        fields: [],
      })),
      body: body.content === undefined ? null : this.content(body.content),
      answers: Object.entries(object(value.responses)).map(([status, entry]) => {
        const answer = this.resolve(entry);
        return { status, description: text(answer.description), ...this.content(answer.content) };
      }),
    };
  }
}

/** The document as the page shows it, in the document's own order. Never throws. */
export function readDocument(document: object): Reference {
  const root = document as Json;
  const reader = new Reader(root);
  const info = object(root.info);
  return {
    title: text(info.title) || "API",
    version: text(info.version),
    description: paragraphs(info.description),
    problems: list(root["x-problems"]).map((entry) => {
      const { code, status, title } = object(entry);
      return { code: text(code), status: String(status ?? ""), text: text(title) };
    }),
    operations: Object.entries(object(root.paths)).flatMap(([path, entry]) => {
      const item = reader.resolve(entry);
      return METHODS.filter((method) => isObject(item[method])).map((method) =>
        reader.operation(method, path, list(item.parameters), object(item[method])),
      );
    }),
  };
}
