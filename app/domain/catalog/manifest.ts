import { isMap, isPair, isScalar, LineCounter, type Node, parseDocument, visit } from "yaml";
import type { z } from "zod";
import { ManifestInvalidError, type Problem } from "./errors.ts";
import { type Manifest, manifestSchema } from "./schema.ts";

/** A manifest and where its parts stand, for errors that are found later. */
export interface LocatedManifest {
  manifest: Manifest;
  /** The line of a value, or of the nearest value around it that exists; counted from 1. */
  lineOf(path: PropertyKey[]): number;
}

/**
 * Reads a `template.yaml`.
 *
 * @throws ManifestInvalidError with every problem found: file, line and fix.
 */
export function parseManifest(text: string, file: string): LocatedManifest {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number) => lines.linePos(offset).line || 1;

  const syntax = document.errors[0] ?? document.warnings[0];
  if (syntax) {
    const problem = `this is not valid YAML: ${syntax.message.replace(/\.$/, "")}`;
    const fix = "Correct the YAML at this line.";
    throw new ManifestInvalidError(file, [{ line: lineAt(syntax.pos[0]), problem, fix }]);
  }

  const lineOf = (path: PropertyKey[]): number => {
    let line = lineAt(document.contents?.range?.[0] ?? 0);
    for (let length = 1; length <= path.length; length += 1) {
      const offset = offsetOf(document.contents, path.slice(0, length));
      if (offset === undefined) break;
      line = lineAt(offset);
    }
    return line;
  };

  // A manifest has no use for aliases, and nested ones can grow without limit.
  let alias: Node | undefined;
  visit(document, {
    Alias(_, node) {
      alias = node;
      return visit.BREAK;
    },
  });
  if (alias) {
    const fix = "Write the value out instead of using an alias (*name).";
    const line = lineAt(alias.range?.[0] ?? 0);
    throw new ManifestInvalidError(file, [{ line, problem: "aliases are not allowed", fix }]);
  }

  const value: unknown = document.toJS();
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return { manifest: parsed.data, lineOf };
  const problems = parsed.error.issues
    .flatMap((issue) => describe(issue, lineOf, value))
    .sort((a, b) => a.line - b.line);
  throw new ManifestInvalidError(file, problems as [Problem, ...Problem[]]);
}

/** The offset of the key that leads to a value, or of the item of a list. */
function offsetOf(contents: unknown, path: PropertyKey[]): number | undefined {
  let node = contents as Node | null | undefined;
  let offset: number | undefined;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === step);
      if (!isPair(pair)) return undefined;
      offset = (pair.key as Node).range?.[0];
      node = pair.value as Node | null;
    } else {
      const items = (node as { items?: Node[] } | null | undefined)?.items;
      node = typeof step === "number" ? items?.[step] : undefined;
      if (!node) return undefined;
      offset = node.range?.[0];
    }
  }
  return offset;
}

function describe(
  issue: z.core.$ZodIssue,
  lineOf: (path: PropertyKey[]) => number,
  manifest: unknown,
): Problem[] {
  const name = issue.path.map(String).join(".") || "the manifest";
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      line: lineOf([...issue.path, key]),
      problem: `the key "${key}" is unknown`,
      found: key,
      fix: "Remove it, or correct its spelling.",
    }));
  }
  const found = issue.path.reduce<unknown>(
    (value, step) => (value as Record<PropertyKey, unknown> | undefined)?.[step],
    manifest,
  );
  const line = lineOf(issue.path);
  if (found === undefined && issue.path.length > 0) {
    const fix = `Add a line with the key ${String(issue.path.at(-1))}.`;
    return [{ line, problem: `${name} is missing`, needed: name, fix }];
  }
  const shown = (JSON.stringify(found) ?? "empty").slice(0, 200);
  return [
    {
      line,
      problem: `${name} is ${shown}, but ${issue.message}`,
      found: shown,
      needed: issue.message,
      fix: `Correct ${name}.`,
    },
  ];
}
