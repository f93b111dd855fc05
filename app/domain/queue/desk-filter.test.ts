import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeDeskCursor } from "./desk-cursor.ts";
import { readDeskFilter } from "./desk-filter.ts";
import { orderOf } from "./desk-list.ts";

const read = (query: string) => readDeskFilter(new URLSearchParams(query), "me-id");

describe("the queue's address", () => {
  it("asks for everything open when it says nothing", () => {
    expect(read("")).toEqual({ filter: { status: "open" }, ignored: [] });
  });

  it("takes lists with commas and repeated, as links and forms send them", () => {
    expect(
      read("status=pending,failed&priority=vip&priority=high&plan=&region=eu-west-1").filter,
    ).toEqual({
      status: ["pending", "failed"],
      priority: ["vip", "high"],
      region: ["eu-west-1"],
    });
    expect(read("status=all,pending").filter.status).toBe("all");
    expect(read("status=run_cancelled")).toEqual({
      filter: { status: ["run_cancelled"] },
      ignored: [],
    });
  });

  it("knows who is meant by me, and nobody", () => {
    expect(read("assignee=me").filter.assignee).toBe("me-id");
    expect(read("assignee=none").filter.assignee).toBe("none");
  });

  it("reads windows of dates and instants, in UTC", () => {
    const { filter } = read("receivedFrom=2026-11-01&failedTo=2026-11-21T10:00:00Z");
    expect(filter.received).toEqual({ from: new Date("2026-11-01T00:00:00Z") });
    expect(filter.failed).toEqual({ to: new Date("2026-11-21T10:00:00Z") });
  });

  it("means completed ones where it speaks of their promise or their end", () => {
    expect(read("promise=kept").filter.status).toEqual(["completed"]);
    expect(read("completedFrom=2026-11-01").filter.status).toEqual(["completed"]);
    expect(read("promise=kept&status=all").filter.status).toBe("all");
  });

  it("leaves out what it does not know, and says so", () => {
    const { filter, ignored } = read(
      "status=lost,pending&priority=urgent&due=never&completedTo=2026-13-45&receivedFrom=0000-01-01&promise=maybe&assignee=a'b&q=***&cursor=x",
    );
    expect(filter).toEqual({ status: ["pending"] });
    expect(ignored.map(({ name }) => name).sort()).toEqual(
      [
        "status",
        "priority",
        "due",
        "completedTo",
        "receivedFrom",
        "promise",
        "assignee",
        "q",
        "cursor",
      ].sort(),
    );
  });

  it("takes any text at all without complaint", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
        const params = new URLSearchParams();
        for (const name of ["q", "status", "cursor", "receivedFrom", "assignee", "plan"]) {
          params.set(name, text);
        }
        const { filter } = readDeskFilter(params, "me");
        expect((filter.text ?? "").length).toBeLessThanOrEqual(200);
        expect(/\p{Cc}/u.test(filter.text ?? "")).toBe(false);
      }),
    );
    // What a careless expression would be busy with until the end of days.
    for (const unit of [" ", "a", "@", "'", "a ", "\u2028", "-a"]) {
      read(`q=${encodeURIComponent(unit.repeat(100_000))}&status=${"a,".repeat(50_000)}`);
    }
  });

  it("carries a place in the list to and fro", () => {
    const cursor = {
      order: "due" as const,
      direction: "before" as const,
      key: "infinity",
      id: "019a0000-0000-7000-8000-000000000000",
    };
    expect(read(`cursor=${writeDeskCursor(cursor)}`)).toEqual({
      filter: { status: "open", cursor },
      ignored: [],
    });
  });
});

describe("the order of a list", () => {
  it("is the promise for open ones, the end for ended ones, the arrival for both", () => {
    expect(orderOf({ status: "open" })).toBe("due");
    expect(orderOf({ status: ["pending", "failed"] })).toBe("due");
    expect(orderOf({ status: ["completed", "cancelled"] })).toBe("ended");
    expect(orderOf({ status: ["failed", "run_cancelled"] })).toBe("due");
    expect(orderOf({ status: ["completed", "failed"] })).toBe("received");
    expect(orderOf({ status: ["cancelled", "run_cancelled"] })).toBe("received");
    expect(orderOf({ status: "all" })).toBe("received");
  });
});
