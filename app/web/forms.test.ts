import { describe, expect, it } from "vitest";
import { z } from "zod";
import { echo, parseForm } from "./forms.server.ts";

const schema = z.object({
  name: z.string().max(5),
  kind: z.enum(["own", "create"]),
  count: z.coerce.number().max(3, "At most 3."),
});
const formOf = (values: Record<string, string>) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) form.set(name, value);
  return form;
};

describe("a form", () => {
  it("is read as its schema says", () => {
    const form = formOf({ name: "Anna", kind: "own", count: "2" });
    expect(parseForm(form, schema)).toEqual({
      value: { name: "Anna", kind: "own", count: 2 },
      errors: null,
    });
  });

  it("has one problem for each field, in the schema’s order and in words", () => {
    const form = formOf({ count: "4", kind: "lost", name: "" });
    const { errors } = parseForm(form, schema, { kind: "Choose who makes it." });
    expect(Object.entries(errors ?? {})).toEqual([
      ["name", ["Fill this in."]],
      ["kind", ["Choose who makes it."]],
      ["count", ["At most 3."]],
    ]);
    const long = formOf({ name: "Annabelle", kind: "own", count: "1" });
    expect(parseForm(long, schema).errors).toEqual({ name: ["This is too long."] });
  });

  it("is shown again with what was named alone", () => {
    expect(echo(formOf({ name: "Anna", password: "secret" }), ["name", "kind"])).toEqual({
      name: "Anna",
      kind: "",
    });
  });
});
