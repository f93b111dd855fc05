import { describe, expect, it } from "vitest";
import { sayEvent } from "./timeline-words.ts";

const event = (kind: string, data: Record<string, unknown> = {}, actor = {}) => ({
  id: 1,
  kind,
  at: "2026-11-21T12:00:00.000Z",
  actor: { kind: "staff", id: "kim", name: "Kim", ...actor },
  data,
});

describe("the timeline's words", () => {
  it("name the person, and Berth for its machinery", () => {
    expect(sayEvent(event("claimed", { assigneeId: "kim", leaseToken: 3 }))).toEqual({
      title: "Claimed",
      who: "Kim",
      details: [],
    });
    expect(sayEvent(event("claimed", {}, { kind: "api" })).who).toBe("Kim (API)");
    expect(sayEvent(event("completed", {}, { kind: "worker", name: null })).who).toBe("Berth");
    expect(
      sayEvent(event("run_cancelled", { by: "Lou" }, { kind: "worker", name: null })),
    ).toMatchObject({ who: "Lou", details: [] });
    expect(sayEvent(event("cancelled", {}, { kind: "customer", name: "Ann" })).who).toBe(
      "Ann, the customer",
    );
  });

  it("say what changed, and fold the rest away", () => {
    expect(sayEvent(event("priority_changed", { from: "normal", to: "vip" }))).toMatchObject({
      title: "Priority changed from Normal to VIP",
      details: [],
    });
    const failed = sayEvent(event("failed", { step: "Base tables", code: "sql", runId: "r1" }));
    expect(failed.title).toBe("Run failed at “Base tables”");
    expect(failed.details).toContainEqual(["Code", "sql"]);
    const names = new Map([["lou", "Lou"]]);
    expect(
      sayEvent(event("claim_expired", { assigneeId: "lou" }), (id) => names.get(id)).details,
    ).toEqual([["Held by", "Lou"]]);
  });

  it("say what stays in the project of a request that was closed", () => {
    const stays = ["version 20260101000000 (base.sql)", "the owner's account"];
    const { title, details } = sayEvent(event("cancelled", { projectRef: "abc", stays }));
    expect(title).toBe("Cancelled");
    expect(details).toEqual([
      ["Project", "abc"],
      ["What stays in it", "version 20260101000000 (base.sql), the owner's account"],
    ]);
    expect(sayEvent(event("run_cancelled", { step: "Base" })).title).toBe(
      "Run cancelled at “Base”",
    );
  });

  it("leave a note as it was written, and take an unknown event as it is called", () => {
    expect(sayEvent(event("note", { text: "a\nb" }))).toMatchObject({
      title: "Note",
      text: "a\nb",
    });
    expect(sayEvent(event("made_up")).title).toBe("made up");
  });
});
