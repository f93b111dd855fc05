import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { StatusBadge, statusWord } from "./status.tsx";

const badge = (props: Parameters<typeof StatusBadge>[0]) =>
  renderToStaticMarkup(createElement(StatusBadge, props));

it("calls a cancelled run by its name, in lists of choices and in every badge", () => {
  const word = "Run cancelled";
  expect([statusWord("run_cancelled"), statusWord("failed")]).toEqual([word, "Failed"]);
  const counted = badge({ status: "run_cancelled" });
  expect(counted).toContain(word);
  expect(badge({ status: "failed", failureCode: "run_cancelled" })).toBe(counted);
  expect(badge({ status: "failed", failureCode: "drift" })).toContain("Failed");
});
