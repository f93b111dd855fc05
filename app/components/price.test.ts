import { expect, it } from "vitest";
import { formatPrice } from "./price.ts";

it("is written with all of its decimals, or with none", () => {
  expect(formatPrice(49_980, "EUR")).toBe("€499.80");
  expect(formatPrice(49_900, "EUR")).toBe("€499");
});
