import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import type { FeatureOffer } from "#app/domain/onboarding/index.server.ts";
import { FeatureChoice } from "./feature-choice.tsx";

const offer = (name: string, change: Partial<FeatureOffer> = {}): FeatureOffer => ({
  name,
  title: name.toUpperCase(),
  description: "It does something.",
  needs: [],
  worksWith: [],
  clashes: [],
  missing: null,
  ...change,
});
const clashesWith = (name: string) => [
  { name, title: name.toUpperCase(), reason: "Both count the stock." },
];
const shown = (features: FeatureOffer[], chosen: string[]) =>
  renderToStaticMarkup(
    <FeatureChoice
      plan="Growth"
      base={{ title: "Base", description: "The base." }}
      features={features}
      chosen={chosen}
    />,
  );

describe("the choice of features", () => {
  it("says at both what cannot be chosen together, once both are", () => {
    const features = [
      offer("a", { clashes: clashesWith("b") }),
      offer("b", { clashes: clashesWith("a") }),
      offer("c"),
    ];
    const both = shown(features, ["a", "b", "c"]);
    expect(both).toContain("It cannot be chosen together with B. Both count the stock.");
    expect(both).toContain("It cannot be chosen together with A. Both count the stock.");
    expect(shown(features, ["a", "c"])).not.toContain("cannot be chosen together");
  });

  it("says so too where one of them comes with another feature", () => {
    const features = [
      offer("a", { clashes: clashesWith("b") }),
      offer("b", { clashes: clashesWith("a") }),
      offer("c", { needs: [{ name: "b", title: "B" }] }),
    ];
    expect(shown(features, ["a", "c"])).toContain("It cannot be chosen together with B.");
  });

  it("says what works with what, where the plan has it", () => {
    expect(shown([offer("a", { worksWith: ["B", "C"] })], [])).toContain(
      "Works with B and C, where chosen.",
    );
    const lacking = offer("a", { worksWith: ["B"], missing: { partOf: "Business" } });
    expect(shown([lacking], [])).not.toContain("Works with");
  });
});
