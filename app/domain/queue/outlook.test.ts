import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { outlookOf, RequestNotFoundError, rankWaiting, tellEvent } from "./index.server.ts";
import { expectedWindow } from "./outlook.ts";
import { momentInWords, windowInWords, zoneInWords } from "./words.ts";

const HOUR = 3_600_000;
const at = (hours: number) => new Date(Date.UTC(2026, 10, 20) + hours * HOUR);

describe("the expected window", () => {
  const base = { createdAt: at(0), due: at(24) };
  const taking = (...hours: number[]) => hours.map((each) => each * HOUR);

  it("is the promise alone while too few speak for it", () => {
    expect(expectedWindow({ ...base, now: at(1), recentDurationsMs: taking(5, 6, 7, 8) })).toEqual({
      from: null,
      to: at(24),
    });
  });

  it("is where most of the recent ones ended, in whole steps, never beyond the promise", () => {
    const recent = taking(5.1, 5.6, 6.2, 7, 8, 9.5, 10.4, 30);
    expect(expectedWindow({ ...base, now: at(1), recentDurationsMs: recent })).toEqual({
      from: at(5),
      to: at(11),
    });
    expect(
      expectedWindow({ ...base, now: at(1), recentDurationsMs: taking(20, 21, 40, 50, 60) }),
    ).toEqual({ from: at(21), to: at(24) });
  });

  it("looks only at those that took longer than this one has already", () => {
    const recent = taking(1, 1, 1, 1, 1, 1, 12, 13, 14, 15, 16);
    expect(expectedWindow({ ...base, now: at(10), recentDurationsMs: recent })).toEqual({
      from: at(13),
      to: at(15.25),
    });
    // Longer than all of them: nobody can say.
    expect(expectedWindow({ ...base, now: at(17), recentDurationsMs: recent })).toEqual({
      from: null,
      to: at(24),
    });
  });

  it("has no beginning in the past, and is the promise once that is broken", () => {
    const soon = taking(3.05, 3.1, 3.1, 3.2, 3.3, 3.4);
    expect(expectedWindow({ ...base, now: at(3), recentDurationsMs: soon })).toEqual({
      from: null,
      to: at(3.5),
    });
    expect(expectedWindow({ ...base, now: at(25), recentDurationsMs: soon })).toEqual({
      from: null,
      to: at(24),
    });
  });
});

describe("times in words", () => {
  const now = new Date("2026-11-20T09:00:00Z");
  const say = (from: string | null, to: string, zone = "Europe/Berlin") =>
    windowInWords({ from: from ? new Date(from) : null, to: new Date(to) }, now, zone);

  it("are in the customer's zone, and name it", () => {
    expect(say("2026-11-21T09:00:00Z", "2026-11-21T14:00:00Z")).toBe(
      "tomorrow between 10:00 and 15:00, Berlin time",
    );
    expect(say("2026-11-21T09:00:00Z", "2026-11-21T14:00:00Z", "America/New_York")).toBe(
      "tomorrow between 04:00 and 09:00, New York time",
    );
    expect(say(null, "2026-11-20T22:30:00Z")).toBe("today by 23:30, Berlin time");
    expect(say(null, "2026-11-20T23:30:00Z")).toBe("tomorrow by 00:30, Berlin time");
    expect(say(null, "2026-11-23T09:00:00Z")).toBe("on Monday by 10:00, Berlin time");
    expect(say(null, "2026-11-30T09:00:00Z")).toBe("on Monday, 30 November by 10:00, Berlin time");
    expect(say("2026-11-20T21:00:00Z", "2026-11-21T05:00:00Z")).toBe(
      "between today 22:00 and tomorrow 06:00, Berlin time",
    );
    expect(say("2026-11-22T09:00:00Z", "2026-11-23T09:00:00Z")).toBe(
      "between Sunday 10:00 and Monday 10:00, Berlin time",
    );
    expect(zoneInWords("Etc/UTC")).toBe("UTC");
    expect(zoneInWords("America/Argentina/Buenos_Aires")).toBe("Buenos Aires time");
  });

  it("know yesterday, and the day that a clock is put back", () => {
    const moment = (text: string) => momentInWords(new Date(text), now, "Europe/Berlin");
    expect(moment("2026-11-19T23:30:00Z")).toBe("today at 00:30");
    expect(moment("2026-11-19T10:00:00Z")).toBe("yesterday at 11:00");
    expect(moment("2026-11-16T10:00:00Z")).toBe("on Monday, 16 November at 11:00");
    const back = new Date("2026-10-24T22:30:00Z");
    expect(momentInWords(new Date("2026-10-25T23:30:00Z"), back, "Europe/Berlin")).toBe(
      "tomorrow at 00:30",
    );
  });
});

describe("what a customer is told of events", () => {
  it("is nothing where it is the house's own business", () => {
    for (const kind of ["note", "priority_changed", "anything new", "constructor"]) {
      expect(tellEvent(kind), kind).toBeNull();
    }
    expect(tellEvent("claimed")?.title).toBe("One of us began to prepare your backend");
  });
});

describe("the outlook of a request", () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await openDesk();
  });
  afterAll(() => desk.base.drop());

  it("has its place among all who wait, from one pass for any number", async () => {
    const [first, second, third] = [
      await desk.request(),
      await desk.request(),
      await desk.request({ priority: "vip" }),
    ];
    const asked = [first.id, second.id, third.id];
    const ranking = await desk.as(desk.worker, (tx) => rankWaiting(tx, asked));
    expect(ranking.waiting).toBe(3);
    expect(asked.map((id) => ranking.positions.get(id))).toEqual([1, 2, 0]);
    const outlook = await desk.as(desk.worker, (tx) => outlookOf(tx, second.id));
    expect(outlook).toMatchObject({
      position: 2,
      waiting: 3,
      expected: { from: null, to: second.dueAt },
    });
    await desk.plant(second.id, { status: "waiting_on_customer", due_at: null });
    expect(await desk.as(desk.worker, (tx) => outlookOf(tx, second.id))).toMatchObject({
      position: null,
      expected: null,
    });
    expect((await desk.as(desk.worker, (tx) => rankWaiting(tx, asked))).positions.size).toBe(2);
    expect((await desk.as(desk.worker, (tx) => rankWaiting(tx, []))).waiting).toBe(2);
    await expect(
      desk.as(desk.worker, (tx) => outlookOf(tx, "00000000-0000-7000-8000-000000000000")),
    ).rejects.toThrow(RequestNotFoundError);
  });
});
