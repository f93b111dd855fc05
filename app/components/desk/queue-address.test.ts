import { describe, expect, it } from "vitest";
import { addressOf, chipsOf } from "./queue-address.ts";

const option = (value: string, label: string) => ({ value, label });
const choices = {
  status: [option("pending", "Waiting"), option("failed", "Failed"), option("all", "Everything")],
  priority: [option("vip", "VIP")],
  plan: [option("growth", "Growth")],
  region: [option("eu-west-1", "Dublin")],
  assignee: [option("me", "Me"), option("none", "Nobody")],
};
const chips = (query: string) => chipsOf(new URLSearchParams(query), choices);

describe("the filters that are on", () => {
  it("are said in words, each with the address without it", () => {
    expect(chips("status=pending,failed&assignee=none&q=acme&cursor=x")).toEqual([
      { label: "Status: Waiting, Failed", without: "?assignee=none&q=acme" },
      { label: "Assignee: Nobody", without: "?status=pending%2Cfailed&q=acme" },
      { label: "“acme”", without: "?status=pending%2Cfailed&assignee=none" },
    ]);
  });

  it("include what only links can ask for", () => {
    const said = (query: string) => chips(query).map(({ label }) => label);
    expect(said("due=late&promise=broken")).toEqual(["Late", "Promise broken"]);
    expect(said("completedFrom=2026-11-01&completedTo=2026-11-08T00:00:00.000Z")).toEqual([
      "Completed from 2026-11-01 before 2026-11-08",
    ]);
  });

  it("include a code that nothing goes by: it narrows the list to nothing", () => {
    const said = (query: string) => chips(query).map(({ label }) => label);
    expect(said("plan=none&region=eu-west-1,xx&assignee=zzz")).toEqual([
      "Plan: none",
      "Region: Dublin, xx",
      "Assignee: zzz",
    ]);
  });

  it("are none for what is not known", () => {
    expect(chips("status=lost&due=never&q=%20&cursor=x&other=1")).toEqual([]);
  });
});

it("leaves empty parameters out of an address", () => {
  expect(addressOf(new URLSearchParams("q=&status=pending&plan="))).toBe("?status=pending");
  expect(addressOf(new URLSearchParams("q="))).toBe("?");
});
