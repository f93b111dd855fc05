import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import type { SettingField } from "#app/domain/onboarding/index.server.ts";
import { SettingFields } from "./setting-fields.tsx";

const field = (change: Partial<SettingField>): SettingField => ({
  name: "pos.thing",
  title: "A thing",
  help: "What it is for.",
  kind: "text",
  value: "",
  options: [],
  min: null,
  max: null,
  isMoney: false,
  isKnown: false,
  longest: null,
  autoComplete: null,
  ...change,
});
const shown = (
  change: Partial<SettingField>,
  told: { values?: Record<string, string>; errors?: Record<string, string[]> } = {},
) => {
  const { values = {}, errors = {} } = told;
  return renderToStaticMarkup(
    <SettingFields fields={[field(change)]} values={values} errors={errors} />,
  );
};
const OPTIONS = [
  { value: "one", label: "One" },
  { value: "two", label: "Two" },
];

describe("a question's field", () => {
  it("of a number has its bounds and its keyboard, and takes a comma in every browser", () => {
    const whole = shown({ kind: "integer", min: 1, max: 2_000, value: "7" });
    for (const part of ['type="text"', 'inputMode="numeric"', 'value="7"']) {
      expect(whole).toContain(part);
    }
    expect(whole).toContain("What it is for. From 1 to 2,000.");
    const decimal = shown({ kind: "decimal", min: 0 });
    expect(decimal).toContain('inputMode="decimal"');
    expect(shown({ kind: "integer", min: -5 })).toContain('inputMode="text"');
    // A bound that nobody reaches is no help.
    expect(shown({ kind: "decimal", min: 0, max: 1_000_000_000 })).not.toMatch(/or more|From/);
    expect(shown({ kind: "decimal", min: 2 })).toContain("2 or more.");
  });

  it("of an amount names its currency, once that is known", () => {
    const money = field({ kind: "decimal", isMoney: true });
    const page = (currency: string) =>
      renderToStaticMarkup(
        <SettingFields fields={[money]} values={{}} errors={{}} currency={currency} />,
      );
    expect(page("CHF")).toContain(">CHF<");
    expect(page("")).not.toContain("CHF");
  });

  it("that is filled with what is known says so", () => {
    expect(shown({ isKnown: true })).toContain("We took this from step 1");
    expect(shown({})).not.toContain("step 1");
  });

  it("of a text takes no more than is allowed", () => {
    expect(shown({ longest: 40 })).toContain('maxLength="40"');
  });

  it("of yes or no is a box, and says that it was there to be ticked", () => {
    const box = shown({ kind: "boolean", value: "true" });
    expect(box).toContain('<input type="hidden" name="asked" value="pos.thing"/>');
    expect(box).toMatch(/type="checkbox"[^>]*checked/);
    expect(shown({ kind: "boolean", value: "false" })).not.toMatch(/type="checkbox"[^>]*checked/);
  });

  it("of a choice is radios in a group with its name, or a list", () => {
    const radios = shown({ kind: "radios", options: OPTIONS, value: "two" });
    expect(radios).toContain("<legend");
    expect(radios).toContain('<input type="hidden" name="shown" value="pos.thing"/>');
    expect(radios).toMatch(/id="pos\.thing-two"[^>]*checked/);
    // What nobody knows is not chosen for the person.
    const open = shown({ kind: "select", options: OPTIONS });
    expect(open).toContain('<option value="" selected="">Choose one</option>');
    expect(shown({ kind: "select", options: OPTIONS, value: "one" })).not.toContain("Choose one");
  });

  it("that was refused shows what was written, and what is wrong with it", () => {
    const told = { values: { "pos.thing": "mine" }, errors: { "pos.thing": ["Not like this."] } };
    const text = shown({ value: "before" }, told);
    expect(text).toContain('value="mine"');
    expect(text).toContain('aria-invalid="true"');
    expect(text).toContain('aria-describedby="pos.thing-error pos.thing-hint"');
    expect(text).toContain("Not like this.");
    const radios = shown({ kind: "radios", options: OPTIONS }, told);
    expect(radios).toContain('aria-describedby="pos.thing-error pos.thing-hint"');
  });
});
