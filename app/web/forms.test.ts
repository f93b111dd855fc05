import { describe, expect, it } from "vitest";
import { z } from "zod";
import { askFirst, echo, isConfirmed, parseForm, readForm } from "./forms.server.ts";

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

describe("a form that is posted", () => {
  const post = (text: string, headers: Record<string, string> = {}) =>
    new Request("https://berth.company.test/", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body: text,
    });

  it("is read up to what the largest form can hold, and no further", async () => {
    const keys = { url: "u".repeat(2_000), key: "%".repeat(16_000), database: "%".repeat(4_000) };
    const text = new URLSearchParams(keys).toString();
    const form = await readForm(post(text, { "content-length": String(text.length) }));
    expect(Object.fromEntries(form)).toEqual(keys);
    for (const [headers, status] of [
      [{ "content-length": "200000" }, 413],
      [{ "content-length": "many" }, 413],
      [{ "transfer-encoding": "chunked" }, 411],
    ] as const) {
      const sent = post("a=1", headers);
      await expect(readForm(sent)).rejects.toMatchObject({ status });
      expect(sent.bodyUsed).toBe(false);
    }
  });
});

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

describe("an act that is asked about first", () => {
  it("is confirmed by the one value that the question’s own button sends", () => {
    expect(isConfirmed(formOf({ intent: "cancel", confirmed: "1" }))).toBe(true);
    for (const confirmed of ["", "0", "true", "on"]) {
      expect(isConfirmed(formOf({ intent: "cancel", confirmed })), confirmed).toBe(false);
    }
    expect(isConfirmed(formOf({ intent: "cancel" }))).toBe(false);
  });

  it("leads to the page that it came from, whatever that was narrowed to, without old news", () => {
    const request = new Request(
      "http://a.example/desk/outbox?to=b%40c&confirm=old&done=saved&again=copy&switched=pos",
    );
    const { status, headers } = askFirst(request, "a mail&more");
    expect(status).toBe(303);
    expect(headers.get("location")).toBe("/desk/outbox?to=b%40c&confirm=a+mail%26more#question");
  });
});
